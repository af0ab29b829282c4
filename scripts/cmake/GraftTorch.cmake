# GraftTorch::cpu: headers, libtorch_cpu and libc10 of the wheel that pip installed. CMake's find_package(Torch) is not
# used: for a wheel that was built with CUDA it insists on a whole CUDA toolkit, though linking needs none of it.
#   GRAFT_PYTHON         the python whose torch is used (default: .venv, an active venv, python3)
#   GRAFT_TORCH_ROOT     site-packages/torch, where no python shall be asked
#   GRAFT_TORCH_LIBRARY_DIR, GRAFT_TORCH_VERSION   results
include_guard(GLOBAL)
set(GRAFT_PYTHON "" CACHE FILEPATH "python that has torch; empty: .venv, an active venv, python3")
set(GRAFT_TORCH_ROOT "" CACHE PATH "the torch package; empty: asked of GRAFT_PYTHON")

set(_python "${GRAFT_PYTHON}")
foreach(_candidate "${PROJECT_SOURCE_DIR}/.venv/bin/python" "$ENV{VIRTUAL_ENV}/bin/python")
  if(NOT _python AND EXISTS "${_candidate}")
    set(_python "${_candidate}")
  endif()
endforeach()
if(NOT _python)
  find_program(_graft_python3 NAMES python3)
  set(_python "${_graft_python3}")
endif()
set(GRAFT_PYTHON_FOUND "${_python}")

set(_torch "${GRAFT_TORCH_ROOT}")
if(NOT _torch AND _python)
  # find_spec does not import torch: a venv with nothing but the wheel cannot.
  execute_process(
    COMMAND "${_python}" -c
      "import importlib.util as u; s = u.find_spec('torch'); print(list(s.submodule_search_locations)[0])"
    OUTPUT_VARIABLE _torch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE _failed)
  if(_failed)
    set(_torch "")
  endif()
endif()
if(NOT EXISTS "${_torch}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "no torch in '${_python}': run scripts/demo once (it makes .venv), or set -DGRAFT_PYTHON or -DGRAFT_TORCH_ROOT")
endif()
file(STRINGS "${_torch}/version.py" _version REGEX "^__version__")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" GRAFT_TORCH_VERSION "${_version}")
if(NOT GRAFT_TORCH_VERSION STREQUAL GRAFT_PIN_TORCH_VERSION)
  message(FATAL_ERROR "${_torch}: torch ${GRAFT_TORCH_VERSION}, scripts/versions says ${GRAFT_PIN_TORCH_VERSION} (its C++ ABI changes between releases)")
endif()
set(GRAFT_TORCH_LIBRARY_DIR "${_torch}/lib")
cmake_path(GET _torch PARENT_PATH _site_packages)
message(STATUS "LibTorch ${GRAFT_TORCH_VERSION}: ${GRAFT_TORCH_LIBRARY_DIR}")

add_library(GraftTorch_cpu INTERFACE)
add_library(GraftTorch::cpu ALIAS GraftTorch_cpu)
target_include_directories(GraftTorch_cpu SYSTEM INTERFACE
  "${_torch}/include" "${_torch}/include/torch/csrc/api/include")
target_compile_definitions(GraftTorch_cpu INTERFACE USE_DISTRIBUTED USE_C10D_GLOO)
foreach(_library torch_cpu c10)
  add_library(GraftTorch::${_library} SHARED IMPORTED GLOBAL)
  set_target_properties(GraftTorch::${_library} PROPERTIES
    IMPORTED_LOCATION "${GRAFT_TORCH_LIBRARY_DIR}/lib${_library}.so" IMPORTED_SONAME "lib${_library}.so")
  target_link_libraries(GraftTorch_cpu INTERFACE GraftTorch::${_library})
endforeach()
# libtorch_cpu.so needs libcudart and libcupti of the two small wheels beside it; ld looks for them when it links a program.
target_link_options(GraftTorch_cpu INTERFACE
  "LINKER:-rpath-link,${GRAFT_TORCH_LIBRARY_DIR}" "LINKER:-rpath-link,${_site_packages}/nvidia/cu13/lib")

# One precompiled header for every box that uses LibTorch: 10 s of a compile become 2.
add_library(graft_torch_pch STATIC)
file(WRITE "${PROJECT_BINARY_DIR}/generated/torch_pch.cpp.new" "namespace { [[maybe_unused]] constexpr int unused = 0; }\n")
file(COPY_FILE "${PROJECT_BINARY_DIR}/generated/torch_pch.cpp.new" "${PROJECT_BINARY_DIR}/generated/torch_pch.cpp"
  ONLY_IF_DIFFERENT)
target_sources(graft_torch_pch PRIVATE "${PROJECT_BINARY_DIR}/generated/torch_pch.cpp")
target_link_libraries(graft_torch_pch PRIVATE GraftTorch::cpu)
target_precompile_headers(graft_torch_pch PRIVATE "${PROJECT_SOURCE_DIR}/scripts/cmake/torch_pch.h")

target_link_libraries(graft_fmt_torch PRIVATE GraftTorch::cpu)

# Gives a target LibTorch and the shared precompiled header.
function(graft_use_torch target)
  target_link_libraries(${target} PRIVATE GraftTorch::cpu)
  target_precompile_headers(${target} REUSE_FROM graft_torch_pch)
endfunction()
