# Tests that need CUDA's headers. On any machine: cuda_host_tests, the plug-in's host part over a runtime that only
# answers. On a CUDA device: cuda_device_tests, the tests of tests/cuda with the real runtime in the place of the
# emulation, and the programs of tests/bench/cuda. Built with GRAFT_CUDA, by the target cuda_device_programs; nothing of
# it is registered with ctest, since a machine that builds need not have a device: scripts/gpu-check runs them.
include_guard(GLOBAL)
add_custom_target(cuda_device_programs)

# The plug-in's own objects, linked instead of loaded, so that every variant can be seen.
function(_graft_device_program name folder)
  add_executable(${name} EXCLUDE_FROM_ALL ${ARGN} $<TARGET_OBJECTS:graft_cuda>)
  graft_may_include(${name} tests kernels/spec kernels/reference kernels/cpu kernels/cuda core/base)
  target_link_libraries(${name} PRIVATE kernels_cuda_table kernels_cpu core_base GraftCuda::runtime Threads::Threads
    ${CMAKE_DL_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/${folder}" LINKER_LANGUAGE CXX
    INSTALL_RPATH "$ORIGIN/../lib;${GRAFT_CUDART_DIR}")
  target_link_options(${name} PRIVATE "LINKER:--gc-sections")
  add_dependencies(cuda_device_programs ${name})
endfunction()

find_package(Threads REQUIRED)
find_package(GTest QUIET)
file(GLOB _tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/cuda/*_test.cpp" "${PROJECT_SOURCE_DIR}/tests/cuda/device/*.cpp"
  "${PROJECT_SOURCE_DIR}/tests/cuda/device/*.cu")
list(FILTER _tests EXCLUDE REGEX "emulation_test\\.cpp$")
# Graft's end of NCCL, without LibTorch, which Gloo needs; and the library itself where Python has brought it.
file(GLOB _communicator CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/core/parallel/*.cpp")
list(FILTER _communicator EXCLUDE REGEX "/gloo\\.cpp$|/rank_address\\.cpp$")
find_path(GRAFT_NCCL_INCLUDE nccl.h HINTS "${GRAFT_TORCH_LIBRARY_DIR}/../../nvidia/nccl/include")
mark_as_advanced(GRAFT_NCCL_INCLUDE)
if(GTest_FOUND)
  _graft_device_program(cuda_device_tests tests ${_tests} ${_communicator})
  graft_may_include(cuda_device_tests core/parallel)
  target_include_directories(cuda_device_tests BEFORE PRIVATE "${PROJECT_SOURCE_DIR}/tests/cuda/device")
  target_link_libraries(cuda_device_tests PRIVATE GTest::gtest)
endif()

# Not found by tests/CMakeLists.txt, which serves machines without CUDA's headers.
file(GLOB _host CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/cuda/host/*.cpp" "${PROJECT_SOURCE_DIR}/tests/cuda/host/*.cpp")
if(GTest_FOUND)
  add_executable(cuda_host_tests ${_host} ${_communicator})
  graft_may_include(cuda_host_tests tests kernels/cuda kernels/spec core/base core/parallel)
  graft_define_build(cuda_host_tests)
  if(GRAFT_NCCL_INCLUDE)
    target_include_directories(cuda_host_tests SYSTEM PRIVATE "${GRAFT_NCCL_INCLUDE}")
  endif()
  target_include_directories(cuda_host_tests SYSTEM PRIVATE "${GRAFT_CUDA_ROOT}/include")
  target_link_libraries(cuda_host_tests PRIVATE core_base GTest::gtest_main Threads::Threads ${CMAKE_DL_LIBS})
  set_target_properties(cuda_host_tests PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests"
    INSTALL_RPATH "${GRAFT_CUDART_DIR};${GRAFT_NCCL_INCLUDE}/../lib")
  add_test(NAME cuda_host
    COMMAND cuda_host_tests "--gtest_output=xml:${CMAKE_BINARY_DIR}/test-results/cuda_host.xml")
  set_tests_properties(cuda_host PROPERTIES LABELS cuda TIMEOUT 300)
endif()

file(GLOB _benches CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/bench/cuda/*.cu" "${PROJECT_SOURCE_DIR}/tests/bench/cuda/*.cpp")
foreach(_bench IN LISTS _benches)
  cmake_path(GET _bench STEM _name)
  _graft_device_program(${_name} bench "${_bench}")
endforeach()
