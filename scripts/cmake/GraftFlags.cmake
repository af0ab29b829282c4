# Language, warnings, sanitizers and ccache for every target.
include_guard(GLOBAL)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)   # what is built is what is installed; nothing is relinked
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/archive")

# -fPIC everywhere, also in executables: CMake would give those -fPIE, and then they could not share the precompiled
# header. Sections, so that what a library does not use is dropped. nvcc knows none of these: scripts/cmake/GraftCuda.cmake.
function(_graft_compile_options)
  add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:${ARGN}>")
endfunction()
_graft_compile_options(-fPIC -ffunction-sections -fdata-sections -Wall -Wextra)
if(GRAFT_WERROR)
  _graft_compile_options(-Werror)
endif()

if(GRAFT_SANITIZE)
  _graft_compile_options(-fsanitize=${GRAFT_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${GRAFT_SANITIZE})
  if(GRAFT_SANITIZE MATCHES "undefined")
    # LibTorch's classes carry no sanitizer type information, so vptr checks of them would only be noise.
    _graft_compile_options(-fno-sanitize=vptr)
  endif()
endif()

find_program(GRAFT_CCACHE ccache)
if(GRAFT_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  # With a precompiled header ccache must be told that time macros and header times do not matter.
  set(_launcher env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime "${GRAFT_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${_launcher}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${_launcher}")
endif()
# A job that sees LibTorch's headers takes up to 1.3 GB and a link more: bounded, so a small machine does not swap.
set_property(GLOBAL PROPERTY JOB_POOLS link=2)
set(CMAKE_JOB_POOL_LINK link)

# fmt compiled once (scripts/cmake/fmt.cpp says why); boxes that use LibTorch get the fmt that LibTorch's headers bring.
add_library(graft_fmt STATIC "${PROJECT_SOURCE_DIR}/scripts/cmake/fmt.cpp")
add_library(graft_fmt_torch STATIC "${PROJECT_SOURCE_DIR}/scripts/cmake/fmt.cpp")   # headers: GraftTorch.cmake
