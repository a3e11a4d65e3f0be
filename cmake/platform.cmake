# Where polyipc runs: 64-bit Linux with glibc. Anywhere else configuring stops with one sentence.
include(CheckSymbolExists)
include(GNUInstallDirs)

set(polyipc_here "${CMAKE_SYSTEM_NAME}")
math(EXPR polyipc_bits "8 * ${CMAKE_SIZEOF_VOID_P}")
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  check_symbol_exists(__GLIBC__ features.h POLYIPC_HAS_GLIBC)
  if(NOT POLYIPC_HAS_GLIBC)
    # Go's shared libraries cannot be loaded by musl: golang.org/issue/13492.
    string(APPEND polyipc_here " without glibc")
  endif()
endif()
if(NOT "${polyipc_here}/${polyipc_bits}" STREQUAL "Linux/64")
  message(FATAL_ERROR
          "polyipc runs on 64-bit Linux with glibc only; this is ${polyipc_bits}-bit ${polyipc_here}.")
endif()
