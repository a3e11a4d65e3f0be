# Runs as an install begins: which directories will it have to make? Those, and only those, go again
# with uninstall. In: polyipc_destinations, polyipc_record. Out: polyipc_new_directories.
set(polyipc_new_directories "")
foreach(directory IN LISTS polyipc_destinations)
  cmake_path(ABSOLUTE_PATH directory BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")
  while(NOT IS_DIRECTORY "$ENV{DESTDIR}${directory}")
    list(APPEND polyipc_new_directories "${directory}/")
    cmake_path(GET directory PARENT_PATH directory)
  endwhile()
endforeach()
