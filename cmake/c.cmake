# The C programs: tests, examples, and the peers that the cross-language tests start.
#
# Each .c file in the directories below is one program. A test passes with exit code 0 and is
# skipped with 77; any other code fails it, and so does a run of more than two minutes. It starts at
# the top of the source tree, and finds the library's path in POLYIPC_LIBRARY.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
# The distributions do not agree on the name of msgpack-c's C library.
pkg_search_module(MSGPACK REQUIRED IMPORTED_TARGET msgpack-c msgpack)

add_library(polyipc_c_rules INTERFACE)
target_compile_features(polyipc_c_rules INTERFACE c_std_11)
target_compile_options(polyipc_c_rules INTERFACE -Wall -Wextra -Werror -g)
target_include_directories(polyipc_c_rules INTERFACE ${PROJECT_SOURCE_DIR}/bindings/c/include)
# As needed: tests that load the library themselves must not find it loaded.
target_link_options(polyipc_c_rules INTERFACE -Wl,--as-needed)
target_link_libraries(polyipc_c_rules INTERFACE
  polyipc::polyipc PkgConfig::MSGPACK Threads::Threads ${CMAKE_DL_LIBS})
if(POLYIPC_SANITIZE)
  set(polyipc_sanitize -fsanitize=${POLYIPC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(polyipc_c_rules INTERFACE ${polyipc_sanitize})
  target_link_options(polyipc_c_rules INTERFACE ${polyipc_sanitize})
endif()

# polyipc_c_programs(PREFIX OUTPUT_DIRECTORY DIRECTORY [TEST]): one program for each .c file there,
# named after it; the target, and with TEST the test, is called PREFIX-file.
function(polyipc_c_programs prefix output directory)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${directory}/*.c)
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    set(target ${prefix}-${name})
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE polyipc_c_rules)
    set_target_properties(${target} PROPERTIES
      OUTPUT_NAME ${name} C_EXTENSIONS ON RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${output})
    if(NOT prefix STREQUAL "example") # examples show what any C11 program may do
      target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    endif()
    if(ARGN STREQUAL "TEST")
      add_test(NAME ${target} COMMAND ${target} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      set_tests_properties(${target} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120
                           ENVIRONMENT POLYIPC_LIBRARY=${polyipc_so})
    endif()
  endforeach()
endfunction()

polyipc_c_programs(c test/c bindings/c/tests TEST)
polyipc_c_programs(abi test/abi tests/abi/c TEST)
polyipc_c_programs(example bin/examples bindings/c/examples)
polyipc_c_programs(example bin/examples examples/identifiers/c)
polyipc_c_programs(example bin/examples examples/frames/c)
polyipc_c_programs(example bin/examples examples/model/c)
# Not with gcc's AddressSanitizer: a fork copies the lock of its allocator as it is, and while Go starts
# threads, the child may wait for it for ever. The C library's allocator is safe.
if(NOT POLYIPC_SANITIZE MATCHES "address")
  polyipc_c_programs(fork test/fork tests/fork/c TEST)
endif()
