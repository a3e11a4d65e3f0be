# What a user gets: library, headers, command, polyipc.pc, the CMake package, and a record of it all
# from which `make uninstall` takes exactly that away again, with or without this build tree.
include(CMakePackageConfigHelpers)

set(polyipc_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/polyipc)
set(polyipc_record_dir share/polyipc) # uninstall.cmake looks there

# Both files find the prefix from where they lie, so that `cmake --install build --prefix ...` and
# packagers may put the tree anywhere.
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_LIBDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE polyipc_prefix)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${polyipc_prefix}/pkgconfig OUTPUT_VARIABLE polyipc_prefix)
foreach(dir libdir includedir)
  string(TOUPPER ${dir} upper)
  cmake_path(APPEND polyipc_pc_${dir} "\${prefix}" "${CMAKE_INSTALL_${upper}}")
endforeach()
configure_file(cmake/polyipc.pc.in polyipc.pc @ONLY)
configure_package_config_file(cmake/polyipcConfig.cmake.in polyipcConfig.cmake
  INSTALL_DESTINATION ${polyipc_cmake_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# While the major version is 0 a new minor version may change what programs see: docs/abi.md.
write_basic_package_version_file(polyipcConfigVersion.cmake COMPATIBILITY SameMinorVersion)

# The first and the last rule keep the record: which directories are missing, then what was put where.
set(polyipc_destinations
    ${CMAKE_INSTALL_BINDIR} ${CMAKE_INSTALL_INCLUDEDIR}/polyipc ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    ${polyipc_cmake_dir} ${polyipc_record_dir})
set(polyipc_record_variables "
  set(polyipc_destinations \"${polyipc_destinations}\")
  set(polyipc_record \"\${CMAKE_INSTALL_PREFIX}/${polyipc_record_dir}/installed.txt\")")
install(CODE "${polyipc_record_variables}
  include(\"${PROJECT_SOURCE_DIR}/cmake/record_before.cmake\")")

install(FILES ${polyipc_so} DESTINATION ${CMAKE_INSTALL_LIBDIR}
        PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(FILES ${polyipc_links} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(PROGRAMS ${polyipc_command} DESTINATION ${CMAKE_INSTALL_BINDIR})
file(GLOB polyipc_top_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.h ${PROJECT_SOURCE_DIR}/bindings/c/include/*.h)
install(FILES ${polyipc_top_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
file(GLOB polyipc_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/polyipc/*.h)
install(FILES ${polyipc_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/polyipc)
install(FILES ${PROJECT_BINARY_DIR}/polyipc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_BINARY_DIR}/polyipcConfig.cmake ${PROJECT_BINARY_DIR}/polyipcConfigVersion.cmake
        DESTINATION ${polyipc_cmake_dir})

install(CODE "${polyipc_record_variables}
  include(\"${PROJECT_SOURCE_DIR}/cmake/record_after.cmake\")")

# The wheel: the library alone, beside the Python modules, under the name the loader asks for.
install(FILES ${polyipc_so} DESTINATION polyipc RENAME ${polyipc_soname}
        COMPONENT python EXCLUDE_FROM_ALL)
