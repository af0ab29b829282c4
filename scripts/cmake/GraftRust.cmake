# The Rust static library of core/text, as the imported target graft_text_rust.
#
# Options: GRAFT_CARGO             cargo, 1.85 or later; looked for on PATH, then in ~/.cargo/bin
#          GRAFT_CARGO_TARGET_DIR  where cargo builds (default: cargo/ in the build folder); share it as a cache
#          GRAFT_CARGO_JOBS        parallel jobs of cargo (default: cargo decides, or CARGO_BUILD_JOBS)
# The lock file is binding (--locked). Linked into a shared library with --exclude-libs,ALL, its symbols stay inside.
include_guard(GLOBAL)

set(GRAFT_CARGO_TARGET_DIR "${CMAKE_BINARY_DIR}/cargo" CACHE PATH "where cargo builds the text library")
set(GRAFT_CARGO_JOBS "" CACHE STRING "parallel jobs of cargo; empty: cargo decides")
set(_graft_cargo_minimum 1.85.0)

function(_graft_cargo_is_new_enough result candidate)
  execute_process(COMMAND "${candidate}" --version OUTPUT_VARIABLE text RESULT_VARIABLE status ERROR_QUIET)
  if(NOT status EQUAL 0 OR NOT text MATCHES "cargo ([0-9]+\\.[0-9]+\\.[0-9]+)"
     OR CMAKE_MATCH_1 VERSION_LESS _graft_cargo_minimum)
    message(STATUS "${candidate} is not cargo ${_graft_cargo_minimum} or later")
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

find_program(GRAFT_CARGO cargo HINTS ENV PATH PATHS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin"
             VALIDATOR _graft_cargo_is_new_enough DOC "cargo, ${_graft_cargo_minimum} or later")
if(NOT GRAFT_CARGO)
  message(FATAL_ERROR "The tokenizer library needs cargo and rustc ${_graft_cargo_minimum} or later, found none on "
    "PATH or in ~/.cargo/bin. Debian 12: apt-get install cargo-web rustc-web (its plain cargo and rustc are too old).")
endif()

cmake_path(SET _graft_rust_dir NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../../core/text/rust")
set(_graft_rust_lib "${GRAFT_CARGO_TARGET_DIR}/release/libgraft_text.a")
set(_graft_rust_stamp "${CMAKE_BINARY_DIR}/graft_text_rust.stamp")
file(GLOB_RECURSE _graft_rust_sources CONFIGURE_DEPENDS "${_graft_rust_dir}/src/*.rs")

# Messages of panics name source files: without the folders of the machine that built them. Encoded flags are separated
# by the character 31, so that folders may have spaces.
if(DEFINED ENV{CARGO_HOME})
  set(_graft_cargo_home "$ENV{CARGO_HOME}")
else()
  set(_graft_cargo_home "$ENV{HOME}/.cargo")
endif()
string(ASCII 31 _graft_separator)
string(CONCAT _graft_rust_flags "--remap-path-prefix=${_graft_cargo_home}/registry/src=crates" "${_graft_separator}"
       "--remap-path-prefix=${_graft_rust_dir}=core/text/rust")

set(_graft_cargo_arguments build --release --locked --manifest-path "${_graft_rust_dir}/Cargo.toml")
if(GRAFT_CARGO_JOBS)
  list(APPEND _graft_cargo_arguments --jobs "${GRAFT_CARGO_JOBS}")
endif()

# Coverage of the Rust code guides the fuzzers. With a named target the flags leave build scripts alone.
if(GRAFT_FUZZ)
  execute_process(COMMAND "${GRAFT_CARGO}" -vV OUTPUT_VARIABLE _graft_cargo_version)
  string(REGEX MATCH "host: ([^\n]+)" _graft_host "${_graft_cargo_version}")
  list(APPEND _graft_cargo_arguments --target "${CMAKE_MATCH_1}")
  set(_graft_rust_lib "${GRAFT_CARGO_TARGET_DIR}/${CMAKE_MATCH_1}/release/libgraft_text.a")
  set(_graft_rust_flags "-Cpasses=sancov-module")
  foreach(_flag level=3 inline-8bit-counters pc-table trace-compares)
    string(APPEND _graft_rust_flags "${_graft_separator}-Cllvm-args=-sanitizer-coverage-${_flag}")
  endforeach()
  string(APPEND _graft_rust_flags "${_graft_separator}-Ccodegen-units=1")
endif()

# cargo knows best what is stale; the stamp tells the generator that it has been asked.
add_custom_command(
  OUTPUT "${_graft_rust_stamp}"
  BYPRODUCTS "${_graft_rust_lib}"
  COMMAND "${CMAKE_COMMAND}" -E env --unset=CARGO_BUILD_TARGET "CARGO_TARGET_DIR=${GRAFT_CARGO_TARGET_DIR}"
          "CARGO_ENCODED_RUSTFLAGS=${_graft_rust_flags}" "${GRAFT_CARGO}" ${_graft_cargo_arguments}
  COMMAND "${CMAKE_COMMAND}" -E touch "${_graft_rust_stamp}"
  DEPENDS ${_graft_rust_sources} "${_graft_rust_dir}/Cargo.toml" "${_graft_rust_dir}/Cargo.lock"
  USES_TERMINAL VERBATIM COMMENT "Building the tokenizer library (cargo)")
add_custom_target(graft_text_rust_build DEPENDS "${_graft_rust_stamp}")

add_library(graft_text_rust STATIC IMPORTED GLOBAL)
set_target_properties(graft_text_rust PROPERTIES
  IMPORTED_LOCATION "${_graft_rust_lib}"
  INTERFACE_LINK_LIBRARIES "pthread;dl;m")
add_dependencies(graft_text_rust graft_text_rust_build)
