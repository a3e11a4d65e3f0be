# cmake -DPREFIX=... -P cmake/uninstall.cmake: removes the files that an install recorded under
# PREFIX, then the directories it made, as far as they are empty. Honours DESTDIR.
cmake_minimum_required(VERSION 3.21)
set(record "$ENV{DESTDIR}${PREFIX}/share/polyipc/installed.txt")
if(NOT EXISTS "${record}")
  message(FATAL_ERROR "uninstall: nothing was installed under ${PREFIX}: there is no ${record}; "
                      "name the prefix of the install, as in: make uninstall PREFIX=...")
endif()
file(STRINGS "${record}" entries)
list(SORT entries ORDER DESCENDING) # what is inside a directory comes before it
foreach(entry IN LISTS entries)
  set(path "$ENV{DESTDIR}${entry}")
  if(NOT entry MATCHES "/$")
    file(REMOVE "${path}")
    message(STATUS "Removed ${path}")
  elseif(IS_DIRECTORY "${path}")
    file(GLOB inside "${path}*" "${path}.*")
    list(FILTER inside EXCLUDE REGEX "/\\.\\.?$")
    if(NOT inside)
      file(REMOVE_RECURSE "${path}")
      message(STATUS "Removed ${path}")
    endif()
  endif()
endforeach()
