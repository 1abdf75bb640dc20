#include "app/cli.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <unistd.h>

#include "app/announce_once.hpp"
#include "app/build_info.hpp"
#include "app/exit_code.hpp"
#include "app/logger.hpp"
#include "app/resolve.hpp"
#include "app/sidecar.hpp"
#include "app/startup.hpp"
#include "config/load.hpp"
#include "metrics/reference.hpp"

namespace pilotfish::app {
namespace {

struct Words {
  std::string file;
  std::vector<std::string> plain;  ///< FILE, or for resolve [FILE] UPSTREAM
  std::string upstream;
  std::string page;
  bool json = false;
  bool watch = false;
  bool version = false;
};

/// Where nobody names one.
constexpr std::array kDefaultFiles{"pilotfish.yaml", "/etc/pilotfish/pilotfish.yaml"};

CLI::App* add_bare_command(CLI::App& app, const char* name, const char* what, Words& words) {
  CLI::App* command = app.add_subcommand(name, what);
  command
      ->add_option("-c,--config", words.file,
                   "The configuration, a YAML file; else pilotfish.yaml, else "
                   "/etc/pilotfish/pilotfish.yaml")
      ->type_name("FILE");
  return command;
}

CLI::App* add_command(CLI::App& app, const char* name, const char* what, Words& words) {
  CLI::App* command = add_bare_command(app, name, what, words);
  command->add_option("file", words.plain, "The same")->type_name("FILE")->expected(0, 1);
  return command;
}

/// Puts the words without a flag where they belong. Gives what is wrong, or nothing.
std::string settle(const std::string& command, Words& words) {
  auto& plain = words.plain;
  if (command == "resolve") {
    words.upstream = std::move(plain.back());
    plain.pop_back();
  }
  if (!plain.empty() && !words.file.empty()) {
    return "two files are named: " + words.file + " and " + plain.front();
  }
  if (!plain.empty()) {
    words.file = std::move(plain.front());
  }
  for (const char* file : kDefaultFiles) {
    if (words.file.empty() && ::access(file, F_OK) == 0) {
      words.file = file;
    }
  }
  return words.file.empty() ? "no configuration: name a FILE; there is neither pilotfish.yaml here "
                              "nor /etc/pilotfish/pilotfish.yaml"
                            : "";
}

void declare(CLI::App& app, Words& words) {
  app.footer(
      "\nExit codes: 0 fine, 64 wrong usage, 78 bad configuration, 69 something needed is "
      "unavailable, 1 anything else.");
  app.add_flag("--version", words.version, "Print the version (as the command version)");
  CLI::App* run = add_command(app, "run", "Run the sidecar in the foreground", words);
  run->footer(
      "\nSIGTERM and SIGINT drain and end it, a second one ends it at once; SIGHUP reloads the "
      "configuration.");
  run->add_flag("--watch", words.watch, "Reload whenever the file changes, as with SIGHUP");
  add_command(app, "check", "Validate a configuration; nothing is bound or contacted", words);
  CLI::App* resolve = add_bare_command(
      app, "resolve", "Ask the registry now and explain which instances would serve", words);
  resolve
      ->add_option("upstream", words.plain,
                   "A name under upstreams:, and before it the file where -c names none")
      ->required()
      ->type_name("[FILE] UPSTREAM")
      ->expected(1, 2);
  resolve->add_flag("--json", words.json, "The shape of /upstreams");
  add_command(app, "register", "Announce the services under register: once", words);
  add_command(app, "deregister", "Withdraw the services under register: once", words);
  app.add_subcommand("version", "Version, commit, compiler and libraries");
  CLI::App* reference = app.add_subcommand("reference", "Print a generated reference");
  reference->group("");  // hidden: for docs/ and its drift check
  reference->add_option("page", words.page, "config or metrics")
      ->required()
      ->check(CLI::IsMember({"config", "metrics"}));
}

int check_file(const std::string& file, std::ostream& out, std::ostream& err) {
  const auto options = load_or_print(file, err);
  if (!options) {
    return kExitConfig;
  }
  const auto counted = [](std::size_t n, const char* what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
  };
  out << file << ": fine (" << counted(options->upstreams.size(), "upstream") << ", "
      << counted(options->announcements.size(), "registration") << ")\n";
  return kExitOk;
}

/// Commands that need a valid configuration and a log beside their own output.
int with_options(const std::string& command, const Words& words, std::ostream& out,
                 std::ostream& err) {
  const auto options = load_or_print(words.file, err);
  if (!options) {
    return kExitConfig;
  }
  LineWriter writer(STDERR_FILENO, {});
  SpdLogger logger(writer, options->log.level, options->log.format);
  if (command == "resolve") {
    return resolve_upstream(*options, words.upstream, words.json, logger, out, err);
  }
  return announce_once(
      *options, command == "register" ? AnnounceAction::kRegister : AnnounceAction::kDeregister,
      logger, out);
}

int dispatch(const std::string& command, const Words& words, std::ostream& out, std::ostream& err) {
  if (command == "run") {
    return run_sidecar(words.file, words.watch, err);
  }
  if (command == "check") {
    return check_file(words.file, out, err);
  }
  if (command == "version") {
    out << version_text();
    return kExitOk;
  }
  if (command == "reference") {
    out << (words.page == "config" ? config::reference_markdown() : metrics::reference_markdown());
    return kExitOk;
  }
  return with_options(command, words, out, err);
}

}  // namespace

int run_command_line(std::vector<std::string> arguments, std::ostream& out, std::ostream& err) {
  CLI::App app("pilotfish: a sidecar that routes by what the registry says now", "pilotfish");
  Words words;
  declare(app, words);
  app.require_subcommand(0, 1);
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    out << (chosen.empty() ? app.help() : chosen.front()->help());
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    const std::string name =
        chosen.empty() ? "pilotfish" : "pilotfish " + chosen.front()->get_name();
    err << name << ": " << error.what() << "\nTry: " << name << " --help\n";
    return kExitUsage;
  }
  const auto chosen = app.get_subcommands();
  if (words.version) {
    out << version_text();
    return kExitOk;
  }
  if (chosen.empty()) {
    err << app.help();
    return kExitUsage;
  }
  const std::string command = chosen.front()->get_name();
  if (command != "version" && command != "reference") {
    if (const auto wrong = settle(command, words); !wrong.empty()) {
      err << "pilotfish " << command << ": " << wrong << "\nTry: pilotfish " << command
          << " --help\n";
      return kExitUsage;
    }
  }
  try {
    return dispatch(command, words, out, err);
  } catch (const std::exception& error) {
    err << "pilotfish " << command << ": " << error.what() << '\n';
    return kExitFailure;
  }
}

}  // namespace pilotfish::app
