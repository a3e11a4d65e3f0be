# Makes lib/libpolyipc.so and bin/polyipc with the go command.
#
# Targets: polyipc_library (the file), polyipc::polyipc (what C programs link), polyipc_command.
find_program(GO_EXECUTABLE go DOC "The go command")
if(NOT GO_EXECUTABLE)
  message(FATAL_ERROR "polyipc needs Go to build: no go command in PATH; see https://go.dev/dl.")
endif()

set(polyipc_soname libpolyipc.so.${PROJECT_VERSION_MAJOR})
set(polyipc_lib_dir ${PROJECT_BINARY_DIR}/lib)
set(polyipc_so ${polyipc_lib_dir}/libpolyipc.so.${PROJECT_VERSION})
set(polyipc_links ${polyipc_lib_dir}/${polyipc_soname} ${polyipc_lib_dir}/libpolyipc.so)
set(polyipc_command ${PROJECT_BINARY_DIR}/bin/polyipc)
set(polyipc_map ${PROJECT_SOURCE_DIR}/cmake/polyipc.map)

set(polyipc_go_flags -trimpath)
if(POLYIPC_TAGS)
  list(APPEND polyipc_go_flags -tags=${POLYIPC_TAGS})
endif()

# Go knows by itself what is out of date; these lists only spare make a call of it.
file(GLOB_RECURSE polyipc_go_sources CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/runtime/*.go ${PROJECT_SOURCE_DIR}/codec/*.go)
list(APPEND polyipc_go_sources ${PROJECT_SOURCE_DIR}/go.mod ${PROJECT_SOURCE_DIR}/go.sum)
file(GLOB_RECURSE polyipc_capi_sources CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/capi/*.go ${PROJECT_SOURCE_DIR}/capi/*.[chS] ${PROJECT_SOURCE_DIR}/include/*.h)
file(GLOB_RECURSE polyipc_command_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmd/polyipc/*.go)

# Made aside and renamed: who loads the library meanwhile, or has it loaded, has the old one or the new one, whole.
# Go writes its own header beside the library. Nobody needs it: ours are written by hand.
set(polyipc_new ${polyipc_lib_dir}/new)
if(POLYIPC_PREBUILT)
  set(polyipc_build_so ${CMAKE_COMMAND} -E copy ${POLYIPC_PREBUILT} ${polyipc_new}.so)
  set(polyipc_so_sources ${POLYIPC_PREBUILT})
else()
  set(polyipc_build_so
      ${CMAKE_COMMAND} -E env CGO_ENABLED=1 CC=${CMAKE_C_COMPILER}
      ${GO_EXECUTABLE} build ${polyipc_go_flags} -buildmode=c-shared
      "-ldflags=-s -w -extldflags '-Wl,-soname,${polyipc_soname} -Wl,--version-script=${polyipc_map}'"
      -o ${polyipc_new}.so ./capi)
  set(polyipc_so_sources ${polyipc_go_sources} ${polyipc_capi_sources} ${polyipc_map})
endif()
add_custom_command(
  OUTPUT ${polyipc_so} ${polyipc_links}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${polyipc_lib_dir}
  COMMAND ${polyipc_build_so}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${polyipc_new}.h
  COMMAND ${CMAKE_COMMAND} -E rename ${polyipc_new}.so ${polyipc_so}
  COMMAND ${CMAKE_COMMAND} -E create_symlink libpolyipc.so.${PROJECT_VERSION} ${polyipc_new}
  COMMAND ${CMAKE_COMMAND} -E rename ${polyipc_new} ${polyipc_lib_dir}/${polyipc_soname}
  COMMAND ${CMAKE_COMMAND} -E create_symlink ${polyipc_soname} ${polyipc_new}
  COMMAND ${CMAKE_COMMAND} -E rename ${polyipc_new} ${polyipc_lib_dir}/libpolyipc.so
  DEPENDS ${polyipc_so_sources}
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
  COMMENT "Building lib/libpolyipc.so.${PROJECT_VERSION}"
  VERBATIM)
add_custom_target(polyipc_library ALL DEPENDS ${polyipc_so})

add_library(polyipc SHARED IMPORTED GLOBAL)
add_dependencies(polyipc polyipc_library)
set_target_properties(polyipc PROPERTIES
  IMPORTED_LOCATION ${polyipc_so}
  IMPORTED_SONAME ${polyipc_soname}
  INTERFACE_INCLUDE_DIRECTORIES ${PROJECT_SOURCE_DIR}/include)
add_library(polyipc::polyipc ALIAS polyipc)

# polyipc_go_programs(TARGET OUTPUT PACKAGE FILE...): programs in pure Go, as the package, or all below
# it that are programs, go into OUTPUT: a file, or a directory if it ends in a slash.
function(polyipc_go_programs target output package)
  set(stamp ${PROJECT_BINARY_DIR}/${target}.stamp)
  add_custom_command(
    OUTPUT ${stamp}
    COMMAND ${CMAKE_COMMAND} -E env CGO_ENABLED=0
            ${GO_EXECUTABLE} build ${polyipc_go_flags} "-ldflags=-s -w" -o ${output} ${package}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${polyipc_go_sources} ${ARGN}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    COMMENT "Building ${package}"
    VERBATIM)
  add_custom_target(${target} ALL DEPENDS ${stamp})
endfunction()

polyipc_go_programs(polyipc_command ${polyipc_command} ./cmd/polyipc ${polyipc_command_sources})
if(BUILD_TESTING)
  file(GLOB_RECURSE polyipc_example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.go)
  polyipc_go_programs(polyipc_examples ${PROJECT_BINARY_DIR}/bin/examples/go/ ./examples/... ${polyipc_example_sources})
endif()
