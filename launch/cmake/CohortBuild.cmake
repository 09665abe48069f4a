# Functions that the build files of src/, tests/ and bench/ share.

# Warnings for our own C, not for the headers of libraries.
function(cohort_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla)
  if(COHORT_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# The bits of a run must not depend on how the compiler contracts or reorders floating point.
function(cohort_exact_floats target)
  target_compile_options(${target} PRIVATE -ffp-contract=off -fno-math-errno -fno-trapping-math)
  if(COHORT_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -mprefer-vector-width=512)
    endif()
  endif()
endfunction()

# Read the lines X(name) of a registry and add <folder>/<name>.c of each to the library.
function(cohort_registry def folder)
  file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/${def} rows REGEX "^X\\([a-z0-9_]+")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${def})
  foreach(row IN LISTS rows)
    string(REGEX REPLACE "^X\\(([a-z0-9_]+).*" "\\1" name "${row}")
    target_sources(cohort PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/${name}.c)
  endforeach()
endfunction()

# A cmocka program tests/<module>/<name>.c, run as it is.
function(cohort_test name)
  add_executable(${name} ${name}.c ${ARGN})
  target_link_libraries(${name} PRIVATE cohort_internal PkgConfig::CMOCKA)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE
    COHORT_SOURCE_DIR="${CMAKE_SOURCE_DIR}" COHORT_BINARY_DIR="${CMAKE_BINARY_DIR}")
  cohort_warnings(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300
    ENVIRONMENT "OPENBLAS_NUM_THREADS=1;OMP_NUM_THREADS=1")
endfunction()

# The same under mpirun, once for each rank count: cohort_mpi_test(test_x RANKS 1 2 3 4)
function(cohort_mpi_test name)
  cmake_parse_arguments(arg "" "" "RANKS;SOURCES" ${ARGN})
  cohort_test(${name} ${arg_SOURCES})
  foreach(n IN LISTS arg_RANKS)
    add_test(NAME ${name}.n${n} COMMAND ${CMAKE_SOURCE_DIR}/launch/mpirun -n ${n} $<TARGET_FILE:${name}>)
    set_tests_properties(${name}.n${n} PROPERTIES TIMEOUT 300 PROCESSORS 2
      ENVIRONMENT "OPENBLAS_NUM_THREADS=1;OMP_NUM_THREADS=1")
  endforeach()
endfunction()
