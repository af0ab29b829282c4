# The CUDA language and GraftCuda::runtime. A toolkit wins: GRAFT_CUDA_HOME, then nvcc 13 on PATH or in /usr/local/cuda.
# Otherwise the nvidia-* wheels of scripts/versions (one merged tree, site-packages/nvidia/cu13) are made into one by an
# overlay of links in the build folder; the environment that pip keeps stays as it is.
#   GRAFT_CUDA_ROOT   result: the toolkit, or the overlay
include_guard(GLOBAL)
set(GRAFT_CUDA_HOME "" CACHE PATH "toolkit with bin/nvcc; empty: nvcc on PATH, /usr/local/cuda, then the pip wheels")
set(GRAFT_CUDA_ARCHITECTURES "80-real;90a-real;100a-real;90-virtual" CACHE STRING "what libgraft_cuda.so holds code for")
cmake_path(GET GRAFT_TORCH_LIBRARY_DIR PARENT_PATH _site_packages)
cmake_path(GET _site_packages PARENT_PATH _site_packages)
set(_wheels "${_site_packages}/nvidia/cu13")

# The wheels have lib where nvcc looks for lib64, and no libcudart.so without a number. nvcc takes the folder above the
# one that it lies in, links followed, for the toolkit: so it and its profile are copies.
function(_graft_cuda_overlay wheels root)
  file(MAKE_DIRECTORY "${root}/bin" "${root}/lib64")
  file(GLOB _programs "${wheels}/bin/*")
  foreach(_program IN LISTS _programs)
    cmake_path(GET _program FILENAME _name)
    if(_name STREQUAL "nvcc" OR _name STREQUAL "nvcc.profile")
      file(COPY_FILE "${_program}" "${root}/bin/${_name}" ONLY_IF_DIFFERENT)
    else()
      file(CREATE_LINK "${_program}" "${root}/bin/${_name}" SYMBOLIC)
    endif()
  endforeach()
  file(GLOB _libraries "${wheels}/lib/*.so*" "${wheels}/lib/*.a")
  foreach(_library IN LISTS _libraries)
    cmake_path(GET _library FILENAME _name)
    file(CREATE_LINK "${_library}" "${root}/lib64/${_name}" SYMBOLIC)
    if(_name MATCHES "^(lib.*\\.so)\\.[0-9]+$")
      file(CREATE_LINK "${_library}" "${root}/lib64/${CMAKE_MATCH_1}" SYMBOLIC)
    endif()
  endforeach()
  file(CREATE_LINK "${root}/lib64" "${root}/lib" SYMBOLIC)
  foreach(_folder nvvm include)
    file(CREATE_LINK "${wheels}/${_folder}" "${root}/${_folder}" SYMBOLIC)
  endforeach()
endfunction()

set(GRAFT_CUDA_ROOT "${GRAFT_CUDA_HOME}")
find_program(GRAFT_NVCC nvcc PATHS /usr/local/cuda/bin NO_CMAKE_SYSTEM_PATH)
mark_as_advanced(GRAFT_NVCC)
set(_nvcc_serves NO)
if(GRAFT_NVCC)   # LibTorch has brought the runtime of CUDA 13, and no other serves both
  execute_process(COMMAND "${GRAFT_NVCC}" --version OUTPUT_VARIABLE _nvcc_version ERROR_QUIET)
  if(_nvcc_version MATCHES "release 13\\.")
    set(_nvcc_serves YES)
  endif()
endif()
if(NOT GRAFT_CUDA_ROOT AND _nvcc_serves)
  file(REAL_PATH "${GRAFT_NVCC}" GRAFT_CUDA_ROOT)
  cmake_path(GET GRAFT_CUDA_ROOT PARENT_PATH GRAFT_CUDA_ROOT)
  cmake_path(GET GRAFT_CUDA_ROOT PARENT_PATH GRAFT_CUDA_ROOT)
elseif(NOT GRAFT_CUDA_ROOT)
  set(GRAFT_CUDA_ROOT "${PROJECT_BINARY_DIR}/cuda-root")
  foreach(_needed bin/nvcc bin/ptxas nvvm/bin/cicc include/crt/host_defines.h include/cuda_runtime.h include/cccl)
    if(NOT EXISTS "${_wheels}/${_needed}")
      message(FATAL_ERROR "GRAFT_CUDA is on, but there is no nvcc 13 on PATH or in /usr/local/cuda, and ${_wheels} has no "
        "${_needed}: set -DGRAFT_CUDA_HOME, or run scripts/test --only 87-cuda once (it installs the wheels)")
    endif()
  endforeach()
  _graft_cuda_overlay("${_wheels}" "${GRAFT_CUDA_ROOT}")
endif()

# 3.25's module CUDAToolkit fails on CUDA 13 (it wants nvToolsExt), and torch's own libcudart must be the process's only one.
set(CMAKE_CUDA_COMPILER "${GRAFT_CUDA_ROOT}/bin/nvcc" CACHE FILEPATH "" FORCE)
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
set(CMAKE_CUDA_ARCHITECTURES "${GRAFT_CUDA_ARCHITECTURES}")
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
enable_language(CUDA)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 13.0 OR CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 14)
  message(FATAL_ERROR "${CMAKE_CUDA_COMPILER} is ${CMAKE_CUDA_COMPILER_VERSION}, expected 13.x, which LibTorch is built with")
endif()
if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)   # 3.25 knows nvcc's standards to 17
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
set(CMAKE_CUDA_STANDARD 20)   # after enable_language, whose own test it would break
message(STATUS "CUDA ${CMAKE_CUDA_COMPILER_VERSION}: ${GRAFT_CUDA_ROOT}")

find_library(GRAFT_CUDART NAMES libcudart.so.13 cudart NO_DEFAULT_PATH REQUIRED PATHS "${GRAFT_CUDA_ROOT}/lib64"
  "${GRAFT_CUDA_ROOT}/lib" "${GRAFT_CUDA_ROOT}/targets/${CMAKE_SYSTEM_PROCESSOR}-linux/lib")
mark_as_advanced(GRAFT_CUDART)
file(REAL_PATH "${GRAFT_CUDART}" _cudart)
cmake_path(GET _cudart PARENT_PATH GRAFT_CUDART_DIR)
add_library(GraftCuda::runtime SHARED IMPORTED GLOBAL)
set_target_properties(GraftCuda::runtime PROPERTIES IMPORTED_LOCATION "${GRAFT_CUDART}" IMPORTED_SONAME libcudart.so.13)
# For g++ alone: nvcc finds its own.
target_include_directories(GraftCuda::runtime SYSTEM INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:${GRAFT_CUDA_ROOT}/include>")
