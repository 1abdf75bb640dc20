#include "tests/component/steady/allocation_count.hpp"

#include <atomic>
#include <cstddef>

namespace {

std::atomic<std::uint64_t> allocations{0};  // NOLINT: allocators have no owner to hang it on
thread_local bool counts = false;           // NOLINT

void note() {
  if (counts) {
    allocations.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

// The sanitizers tell of every allocation.
extern "C" int __sanitizer_install_malloc_and_free_hooks(  // NOLINT: that is its name
    void (*allocated)(const volatile void*, std::size_t), void (*freed)(const volatile void*));

namespace pilotfish::testing {
void AllocationCount::count_this_thread() {
  static const bool installed = [] {
    return __sanitizer_install_malloc_and_free_hooks(
               [](const volatile void*, std::size_t) { note(); }, [](const volatile void*) {}) != 0;
  }();
  counts = installed;
}
}  // namespace pilotfish::testing

#else

// Without them the C library's functions are replaced; operator new calls malloc.
// NOLINTBEGIN: the names are the C library's
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) {
  note();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  note();
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  note();
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  note();
  return __libc_memalign(alignment, size);
}
}
// NOLINTEND

namespace pilotfish::testing {
void AllocationCount::count_this_thread() {
  counts = true;
}
}  // namespace pilotfish::testing

#endif

namespace pilotfish::testing {
std::uint64_t AllocationCount::so_far() {
  return allocations.load(std::memory_order_relaxed);
}
}  // namespace pilotfish::testing
