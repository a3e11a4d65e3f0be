# Runs as an install ends: writes the record of files and of directories made (these end in "/").
# What an earlier install wrote there stays in it, so that installing twice forgets nothing.
set(polyipc_entries ${CMAKE_INSTALL_MANIFEST_FILES} ${polyipc_new_directories} "${polyipc_record}")
if(EXISTS "$ENV{DESTDIR}${polyipc_record}")
  file(STRINGS "$ENV{DESTDIR}${polyipc_record}" polyipc_earlier)
  list(APPEND polyipc_entries ${polyipc_earlier})
endif()
list(REMOVE_DUPLICATES polyipc_entries)
list(SORT polyipc_entries)
list(JOIN polyipc_entries "\n" polyipc_text)
file(WRITE "$ENV{DESTDIR}${polyipc_record}" "${polyipc_text}\n")
