# libgraft.so (C ABI and loader), libgraft_core.so (all that needs LibTorch), the command `graft`.
# Each exists as soon as its sources do.
include_guard(GLOBAL)
set(_no_undefined "LINKER:--no-undefined")
if(GRAFT_SANITIZE AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(_no_undefined "")   # clang leaves the sanitizer's symbols to the program
endif()

# What every program sees: the public headers, and nothing of the core.
add_library(graft_headers INTERFACE)
target_include_directories(graft_headers INTERFACE "${PROJECT_SOURCE_DIR}/capi/include")

# --- libgraft.so: sees the facade's table, links no box and no LibTorch ------------------------------------------------
file(GLOB _capi CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/capi/src/*.cpp")
set(_capi_map "${PROJECT_SOURCE_DIR}/capi/abi/graft.map")
if(_capi AND EXISTS "${_capi_map}")
  add_library(graft SHARED ${_capi})
  target_link_libraries(graft PUBLIC graft_headers PRIVATE graft_fmt ${CMAKE_DL_LIBS})
  graft_may_include(graft capi/src core/facade core/base kernels/spec)   # of base what is header alone: nothing is linked
  graft_define_build(graft)
  target_compile_definitions(graft PRIVATE
    "GRAFT_LIBTORCH_DEFAULT=\"${GRAFT_TORCH_LIBRARY_DIR}\"")
  target_link_options(graft PRIVATE "LINKER:--version-script=${_capi_map}" ${_no_undefined}
    "LINKER:-z,nodelete" "LINKER:--as-needed" "LINKER:--gc-sections" "LINKER:--exclude-libs,ALL")
  set_target_properties(graft PROPERTIES SOVERSION 1 LINK_DEPENDS "${_capi_map}" INSTALL_RPATH "$ORIGIN")
endif()

# --- libgraft_core.so --------------------------------------------------------------------------------------------------
# Loaded by libgraft.so after LibTorch, so it needs no run path of its own: a missing LibTorch is a message, not a
# surprise from some other folder.
get_target_property(_facade_type core_facade TYPE)
if(NOT _facade_type STREQUAL "INTERFACE_LIBRARY")
  graft_define_build(core_facade)
  graft_define_build(core_engine)
  file(WRITE "${PROJECT_BINARY_DIR}/generated/graft_core.cpp.new" "// The boxes hold everything; the linker wants one object.\n")
  file(COPY_FILE "${PROJECT_BINARY_DIR}/generated/graft_core.cpp.new" "${PROJECT_BINARY_DIR}/generated/graft_core.cpp"
    ONLY_IF_DIFFERENT)
  add_library(graft_core SHARED "${PROJECT_BINARY_DIR}/generated/graft_core.cpp")
  target_link_libraries(graft_core PRIVATE core_facade)
  set(_core_map "${PROJECT_SOURCE_DIR}/scripts/cmake/graft_core.map")
  target_link_options(graft_core PRIVATE "LINKER:-u,graft_core_table" "LINKER:--version-script=${_core_map}"
    ${_no_undefined} "LINKER:-z,nodelete" "LINKER:--as-needed" "LINKER:--gc-sections")
  # No --exclude-libs here: the one symbol comes from an archive too; the version script hides all others.
  set_target_properties(graft_core PROPERTIES LINK_DEPENDS "${_core_map}")
endif()

# --- the command: a program like any user's ----------------------------------------------------------------------------
file(GLOB _cli CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/cli/*.cpp")
if(_cli AND TARGET graft)
  # All but its main program: the measure of the example model shares it.
  list(FILTER _cli EXCLUDE REGEX "/main\\.cpp$")
  add_library(graft_command STATIC ${_cli})
  target_link_libraries(graft_command PUBLIC graft graft_fmt)
  target_compile_definitions(graft_command PUBLIC "GRAFT_VERSION=\"${PROJECT_VERSION}\"")
  graft_may_include(graft_command examples/cli)
  function(graft_command_program target name main)
    add_executable(${target} "${PROJECT_SOURCE_DIR}/${main}")
    target_link_libraries(${target} PRIVATE graft_command)
    graft_may_include(${target} examples/cli)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} INSTALL_RPATH "$ORIGIN/../lib")
  endfunction()
  graft_command_program(graft_cli graft examples/cli/main.cpp)
  graft_command_program(graft_evaluate evaluate examples/model/evaluate.cpp)
  if(TARGET graft_core)
    add_dependencies(graft_cli graft_core)
  endif()
endif()
