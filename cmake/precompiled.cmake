# Headers of Asio, Beast, JSON and GoogleTest, parsed once: most of the time that an object costs.
# Only headers of others: one of ours would have everything compiled again whenever it changes.
# A source that forgets an include is found by the builds without it (release, fuzz) and by tidy.
option(PILOTFISH_PCH "Precompile the libraries' headers" OFF)

# A precompiled header is refused where a macro that it met differs: the same ones everywhere.
if(PILOTFISH_PCH)
  add_compile_definitions(
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
    BOOST_SYSTEM_DYN_LINK BOOST_SYSTEM_NO_LIB BOOST_CONTAINER_DYN_LINK BOOST_CONTAINER_NO_LIB
    BOOST_JSON_DYN_LINK BOOST_JSON_NO_LIB FMT_SHARED)
  add_compile_options(-fpch-preprocess)  # ccache reads what the compiler would
  file(WRITE ${CMAKE_BINARY_DIR}/empty.cpp "")
endif()

# pilotfish_precompiled(TARGET product|tests): TARGET is compiled with them.
function(pilotfish_precompiled target kind)
  if(NOT PILOTFISH_PCH)
    return()
  endif()
  if(NOT TARGET precompiled_${kind})
    add_library(precompiled_${kind} OBJECT ${CMAKE_BINARY_DIR}/empty.cpp)
    target_precompile_headers(precompiled_${kind} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.hpp)
    if(kind STREQUAL tests)
      target_precompile_headers(precompiled_${kind} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
      target_link_libraries(precompiled_${kind} PRIVATE GTest::gmock)
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM precompiled_${kind})
  target_link_libraries(${target} PRIVATE pf_asio)  # to Asio's headers belongs its library
endfunction()
