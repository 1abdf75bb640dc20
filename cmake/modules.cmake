# pilotfish_module(NAME SOURCES... [LINK libs...]): the library pf_NAME of the folder NAME.
# Sources are named file by file or globbed by the caller; headers are found from the project root.
function(pilotfish_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(pf_${name} STATIC ${ARG_SOURCES})
  target_include_directories(pf_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(pf_${name} PUBLIC ${ARG_LINK})
  pilotfish_precompiled(pf_${name} product)
endfunction()

# pilotfish_test(NAME SOURCES... LINK libs... [LABEL unit|component]): one GoogleTest program.
function(pilotfish_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  pilotfish_precompiled(${name} tests)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT 300)
endfunction()
