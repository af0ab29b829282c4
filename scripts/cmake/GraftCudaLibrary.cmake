# libgraft_cuda.so: kernels/cuda/*.cu by nvcc, kernels/cuda/host/*.cpp by g++, and the table of the kernels. It knows
# neither LibTorch nor the core. The CUDA runtime is the process's own: LibTorch has loaded it before.
include_guard(GLOBAL)
file(GLOB _kernels CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/cuda/*.cu")
file(GLOB _host CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/cuda/host/*.cpp")
set(_cuda_map "${PROJECT_SOURCE_DIR}/scripts/cmake/graft_cuda.map")

add_library(graft_cuda SHARED ${_kernels} ${_host})
graft_may_include(graft_cuda kernels/cuda kernels/spec)
# Not graft_define_build: a changed hash would compile every kernel again.
target_compile_definitions(graft_cuda PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:GRAFT_BUILD_HASH=\"${GRAFT_BUILD_HASH}\">")
target_link_libraries(graft_cuda PRIVATE kernels_cuda_table GraftCuda::runtime ${CMAKE_DL_LIBS})
# What ptxas says of registers and spills is kept beside each object file: scripts/lib/cuda_registers.py reads it.
target_compile_options(graft_cuda PRIVATE
  "$<$<COMPILE_LANGUAGE:CUDA>:-Xptxas=-v;-Xcompiler=-Wall,-ffunction-sections>")
set_target_properties(graft_cuda PROPERTIES
  CUDA_COMPILER_LAUNCHER "${PROJECT_SOURCE_DIR}/scripts/cmake/keep_ptxas_report"
  CUDA_SEPARABLE_COMPILATION OFF
  LINKER_LANGUAGE CXX
  LINK_DEPENDS "${_cuda_map}"
  INSTALL_RPATH "$ORIGIN;${GRAFT_CUDART_DIR}")
target_link_options(graft_cuda PRIVATE "LINKER:--version-script=${_cuda_map}" "LINKER:--no-undefined"
  "LINKER:-z,nodelete" "LINKER:--as-needed" "LINKER:--gc-sections" "LINKER:--exclude-libs,ALL")
