# PILOTFISH_SANITIZE: empty, "address" (with undefined), or "thread".
set(PILOTFISH_SANITIZE "" CACHE STRING "address | thread | empty")
if(PILOTFISH_SANITIZE STREQUAL "address")
  # Without vptr: its runtime opens a pipe to look at memory, and aborts where no descriptor is free.
  # Without null, alignment and object-size: they take a third of the compiler's time, and what they
  # find is either AddressSanitizer's too or cannot happen on x86.
  add_compile_options(-fsanitize=address,undefined
                      -fno-sanitize=vptr,null,alignment,object-size -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(PILOTFISH_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  # ThreadSanitizer does not know standalone fences. Asio's only back up the scheduler's mutex, which
  # it knows: without them nothing that is ordered looks unordered.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  add_link_options(-fsanitize=thread)
endif()

# Every library is instrumented for libFuzzer; only the targets themselves link its main().
if(PILOTFISH_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
