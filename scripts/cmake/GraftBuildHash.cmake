# GRAFT_BUILD_HASH: what libgraft.so and libgraft_core.so must agree on, and nothing else: the facade's table, the types
# it uses, the versions. A rebuild that leaves these alone leaves the hash alone.
include_guard(GLOBAL)
file(GLOB _boundary CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/core/facade/table.h" "${PROJECT_SOURCE_DIR}/kernels/spec/*.h")
list(SORT _boundary)
set(_digest "${PROJECT_VERSION} ${GRAFT_TORCH_VERSION}")
foreach(_file IN LISTS _boundary)
  set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_file}")
  file(SHA256 "${_file}" _hash)
  cmake_path(GET _file FILENAME _name)
  string(APPEND _digest " ${_name} ${_hash}")
endforeach()
string(SHA256 _digest "${_digest}")
string(SUBSTRING "${_digest}" 0 16 GRAFT_BUILD_HASH)

# The definitions that both sides of the facade are compiled with.
function(graft_define_build target)
  target_compile_definitions(${target} PRIVATE
    "GRAFT_BUILD_HASH=\"${GRAFT_BUILD_HASH}\""
    "GRAFT_VERSION=\"${PROJECT_VERSION}\""
    "GRAFT_TORCH_VERSION=\"${GRAFT_TORCH_VERSION}\"")
endfunction()
