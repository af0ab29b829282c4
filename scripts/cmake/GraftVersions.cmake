# scripts/versions is the one place of pins; its plain NAME="value" lines become GRAFT_PIN_<NAME>.
include_guard(GLOBAL)
set(_graft_versions "${PROJECT_SOURCE_DIR}/scripts/versions")
set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_graft_versions}")
file(STRINGS "${_graft_versions}" _lines REGEX "^[A-Z_]+=\"[^\"]*\"$")
foreach(_line IN LISTS _lines)
  string(REGEX MATCH "^([A-Z_]+)=\"([^\"]*)\"$" _ "${_line}")
  set(GRAFT_PIN_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
endforeach()
