# Tables written by the build from the sources it finds, so that a kernel variant or an architecture is one file and no
# list. A source takes part when it names its own entry: `kernel_<folder>_<stem>`, `policy_<stem>`; a helper beside
# it, which names none, does not. The text around the entries is in kernel_table.cpp.in and policy_table.cpp.in.
include_guard(GLOBAL)

# Adds build/generated/NAME.cpp, made from scripts/cmake/NAME.cpp.in and SOURCES, to TARGET.
function(_graft_table target name prefix sources)
  get_target_property(_type ${target} TYPE)
  if(_type STREQUAL "INTERFACE_LIBRARY" OR NOT sources)
    return()
  endif()
  set(_output "${PROJECT_BINARY_DIR}/generated/${name}.cpp")
  set(_template "${PROJECT_SOURCE_DIR}/scripts/cmake/${name}.cpp.in")
  set(_script "${PROJECT_SOURCE_DIR}/scripts/cmake/write_table.cmake")
  string(REPLACE ";" "|" _list "${sources}")
  add_custom_command(OUTPUT "${_output}"
    COMMAND "${CMAKE_COMMAND}" "-DSOURCES=${_list}" "-DPREFIX=${prefix}" "-DTEMPLATE=${_template}"
            "-DOUTPUT=${_output}" -P "${_script}"
    DEPENDS ${sources} "${_template}" "${_script}" VERBATIM COMMENT "Writing ${name}.cpp")
  target_sources(${target} PRIVATE "${_output}")
endfunction()

function(graft_kernel_table target)
  file(GLOB _sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/reference/*.cpp"
    "${PROJECT_SOURCE_DIR}/kernels/cpu/*.cpp")
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(FILTER _sources EXCLUDE REGEX "_avx(2|512)\\.cpp$")
  endif()
  get_target_property(_type ${target} TYPE)
  if(_type STREQUAL "INTERFACE_LIBRARY" AND _sources)   # no CPU kernel yet: the table still holds the reference
    set(target kernels_table)
    add_library(kernels_table STATIC)
    graft_link(kernels_table kernels_reference)
    graft_link(kernels_cpu kernels_table)
  endif()
  graft_may_include(${target} kernels/spec)
  _graft_table(${target} kernel_table kernel "${_sources}")
endfunction()

# The table of kernels/cuda, a library of its own: it is C++ without CUDA, and tests link it on machines without a toolkit.
function(graft_cuda_kernel_table)
  file(GLOB _sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/cuda/*.cu")
  if(NOT _sources)
    return()
  endif()
  add_library(kernels_cuda_table STATIC EXCLUDE_FROM_ALL)
  graft_may_include(kernels_cuda_table kernels/spec)
  _graft_table(kernels_cuda_table cuda_kernel_table kernel "${_sources}")
endfunction()

function(graft_policy_table target)
  file(GLOB _sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/core/policies/*.cpp")
  _graft_table(${target} policy_table policy "${_sources}")
endfunction()
