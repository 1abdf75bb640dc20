#include "app/access_log.hpp"

#include <system_error>
#include <unistd.h>

#include "app/access_format.hpp"
#include "metrics/families.hpp"

namespace pilotfish::app {

QueuedAccessLog::QueuedAccessLog(const std::string& sink, config::LogFormat format,
                                 metrics::Store& store)
    : format_(format) {
  LineWriter::Options options;
  options.batch = std::chrono::milliseconds(20);
  // The writer's lock makes it one writer at a time, as a counter wants.
  options.on_dropped = [dropped = store.counter(metrics::kAccessLogDropped, {})](std::size_t n) {
    dropped->add(n);
  };
  if (sink == "stdout") {
    writer_ = std::make_unique<LineWriter>(STDOUT_FILENO, std::move(options));
  } else if (sink == "stderr") {
    writer_ = std::make_unique<LineWriter>(STDERR_FILENO, std::move(options));
  } else {
    try {
      writer_ = std::make_unique<LineWriter>(sink, std::move(options));
    } catch (const std::system_error& error) {
      throw std::system_error(error.code(), "log.access: " + sink);
    }
  }
}

void QueuedAccessLog::log(const proxy::AccessRecord& record) {
  thread_local std::string line;  // keeps its capacity: no allocation per request
  line.clear();
  append_access_line(line, record, std::chrono::system_clock::now(), format_);
  writer_->write(line);
}

}  // namespace pilotfish::app
