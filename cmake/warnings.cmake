add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                    -Wcast-qual -Wformat=2)
option(PILOTFISH_WERROR "Warnings are errors" ON)
if(PILOTFISH_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Known false positives of GCC 12 in optimised and sanitised builds of std::string and coroutines.
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-dangling-pointer
                      -Wno-stringop-overflow -Wno-array-bounds -Wno-mismatched-new-delete -Wno-missing-field-initializers)
endif()
