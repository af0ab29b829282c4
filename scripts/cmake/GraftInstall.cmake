# `cmake --install build --prefix DIR`: a tree that works wherever it is moved. bin/graft, lib/libgraft.so and what it
# loads from beside it, include/graft, and what pkg-config and find_package(Graft) read. LibTorch is not part of it.
include_guard(GLOBAL)
include(CMakePackageConfigHelpers)

set(_generated "${PROJECT_BINARY_DIR}/generated")
foreach(_target graft graft_core graft_cuda graft_cli)
  if(TARGET ${_target})
    install(TARGETS ${_target} RUNTIME DESTINATION bin LIBRARY DESTINATION lib)
  endif()
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/capi/include/graft" DESTINATION include FILES_MATCHING PATTERN "*.h")

configure_file("${PROJECT_SOURCE_DIR}/scripts/cmake/graft.pc.in" "${_generated}/graft.pc" @ONLY)
install(FILES "${_generated}/graft.pc" DESTINATION lib/pkgconfig)

set(GRAFT_SOVERSION 1)
if(TARGET graft)
  get_target_property(GRAFT_SOVERSION graft SOVERSION)
endif()
configure_file("${PROJECT_SOURCE_DIR}/scripts/cmake/GraftConfig.cmake.in" "${_generated}/GraftConfig.cmake" @ONLY)
write_basic_package_version_file("${_generated}/GraftConfigVersion.cmake" COMPATIBILITY SameMajorVersion)
install(FILES "${_generated}/GraftConfig.cmake" "${_generated}/GraftConfigVersion.cmake" DESTINATION lib/cmake/Graft)
