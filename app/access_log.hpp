#pragma once

#include <memory>
#include <string>

#include "app/line_writer.hpp"
#include "config/root_options.hpp"
#include "metrics/store.hpp"
#include "proxy/access_log.hpp"

namespace pilotfish::app {

/// The access log: formats on the caller's thread, writes on its own. Lines that the sink is too
/// slow for are dropped and counted (pilotfish_access_log_dropped_total).
class QueuedAccessLog final : public proxy::AccessLog {
 public:
  /// `sink`: stdout | stderr | PATH. Throws std::system_error where PATH cannot be opened.
  QueuedAccessLog(const std::string& sink, config::LogFormat format, metrics::Store& store);
  void log(const proxy::AccessRecord& record) override;
  /// SIGHUP: PATH is opened anew (logrotate).
  void reopen() { writer_->reopen(); }

 private:
  config::LogFormat format_;
  std::unique_ptr<LineWriter> writer_;
};

}  // namespace pilotfish::app
