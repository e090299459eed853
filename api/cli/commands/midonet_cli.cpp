// midonet-cli: MidoNet's command line, by api/midonet_cli. Here: options, files in the home directory, who reads lines.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "api/cli/secret_prompt.hpp"
#include "api/client/token.hpp"
#include "api/midonet_cli/command.hpp"
#include "api/midonet_cli/gateway_source.hpp"
#include "api/midonet_cli/line_editor.hpp"
#include "api/midonet_cli/parser.hpp"
#include "api/midonet_cli/settings.hpp"
#include "api/midonet_cli/shell.hpp"
#include "api/midonet_cli/url_source.hpp"

namespace viaduct::api::cli {
namespace {

using midonet_cli::Aliases;

struct MidonetOptions {
  midonet_cli::Settings given;
  std::vector<std::string> words;
  std::string ca_file;
  bool evaluates = false, no_auth = false, asks_password = false, debug = false;
  bool aliases = false, no_aliases = false, stops = false;
};

constexpr const char* kPrompt = "midonet> ";

Failure unusable_file(const std::string& file, const std::string& why, std::string cure) {
  return {ExitCode::usage, "file_unusable", file + ": " + why, std::move(cure), {}};
}

// Empty when there is no home, and thus no file.
std::string in_home(const Session& session, const char* name) {
  const auto home = session.variable("HOME");
  return home && !home->empty() ? *home + "/" + name : std::string();
}

// Empty when there is none.
Result<std::string> text_of_file(const std::string& file) {
  struct stat there {};
  if (file.empty() || (stat(file.c_str(), &there) != 0 && errno == ENOENT)) return std::string();
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (in && S_ISREG(there.st_mode)) return text.str();
  return unusable_file(file, "cannot be read", "is it a file, and may you read it?");
}

// Whole or not at all. What is wrong, or empty.
std::string keep_file(const std::string& file, const std::string& text) {
  const std::string fresh = file + ".new." + std::to_string(getpid());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = fd >= 0;
  for (size_t at = 0; written && at < text.size();) {
    const ssize_t count = write(fd, text.data() + at, text.size() - at);
    if (count < 0 && errno == EINTR) continue;
    written = count > 0;
    if (written) at += static_cast<size_t>(count);
  }
  written = written && rename(fresh.c_str(), file.c_str()) == 0;
  const std::string wrong = written ? "" : std::strerror(errno);
  if (fd >= 0) close(fd);
  if (!written) ::unlink(fresh.c_str());
  return wrong;
}

// --- where to ------------------------------------------------------------------------------------------

Result<midonet_cli::Settings> settings_of(const Session& session, const MidonetOptions& words) {
  const std::string file = in_home(session, ".midonetrc");
  auto text = text_of_file(file);
  if (!text) return text.failure();
  auto kept = midonet_cli::parse_rc(*text);
  if (!kept) return unusable_file(file, kept.failure().message, kept.failure().cure);
  auto environment = midonet_cli::of_environment([&](const char* name) { return session.variable(name); });
  return merged(words.given, merged(std::move(environment), *kept));
}

Result<std::string> password_of(Session& session, const MidonetOptions& words, const midonet_cli::Settings& settings) {
  if (!words.asks_password && settings.password) return *settings.password;
  if (words.asks_password && (somebody_types(session) || words.evaluates)) {
    auto typed = ask_secret(session, "Password: ");
    if (typed) return *typed;
    return usage_error("there is no password", "type it, or give it as the first line of standard input");
  }
  return usage_error("there is no password for the user " + settings.user.value_or(""),
                     "put it into ~/.midonetrc or MIDO_PASSWORD, or let -p ask for it on a terminal");
}

// The token of a daemon, when one was named.
Result<std::string> token_of(Session& session) {
  if (session.settings().token_file.empty() && !session.variable("VIADUCT_TOKEN_FILE")) return std::string();
  auto token = read_token(session.token_file());
  if (!token) return token.failure();
  return std::string(token->begin(), token->end());
}

Result<std::unique_ptr<midonet_cli::RestSource>> by_url(Session& session, const MidonetOptions& words,
                                                        const midonet_cli::Settings& settings) {
  midonet_cli::UrlOptions options;
  options.url = *settings.url;
  options.project = settings.project.value_or("");
  options.ca_file = words.ca_file;
  options.timeout = std::chrono::milliseconds(static_cast<int64_t>(session.settings().timeout_seconds * 1000));
  const std::string certificates = settings.certificates.value_or("");
  if (certificates == "true" || certificates == "True" || certificates == "TRUE")
    options.certificates = midonet_cli::UrlOptions::Certificates::taken;
  if (!words.no_auth && settings.user && !settings.user->empty()) {
    options.user = *settings.user;
    auto password = password_of(session, words, settings);
    if (!password) return password.failure();
    options.password = *password;
  } else if (!words.no_auth) {
    auto token = token_of(session);
    if (!token) return token.failure();
    options.token = *token;
  }
  auto source = midonet_cli::UrlSource::open(std::move(options));
  if (!source) return source.failure();
  return std::unique_ptr<midonet_cli::RestSource>(std::move(*source));
}

Result<std::unique_ptr<midonet_cli::RestSource>> source_of(Session& session, const MidonetOptions& words,
                                                           const midonet_cli::Settings& settings) {
  const bool daemon_named = !session.settings().address.empty() && !words.given.url;
  if (!daemon_named && settings.url && !settings.url->empty()) return by_url(session, words, settings);
  const auto timeout = std::chrono::milliseconds(static_cast<int64_t>(session.settings().timeout_seconds * 1000));
  return std::unique_ptr<midonet_cli::RestSource>(std::make_unique<midonet_cli::GatewaySource>(
      [&session] { return session.another_client(); }, session.address(), timeout));
}

// --- one session ----------------------------------------------------------------------------------------

bool is_interactive(Session& session, const MidonetOptions& words) {
  return !words.evaluates && somebody_types(session);
}

Aliases::Mode mode_of(Session& session, const MidonetOptions& words) {
  if (words.no_aliases) return Aliases::Mode::off;
  return words.aliases || is_interactive(session, words) ? Aliases::Mode::given : Aliases::Mode::known;
}

// The commands of -e, one after the other.
midonet_cli::ReadLine of_options(std::vector<std::string> commands) {
  auto left = std::make_shared<std::vector<std::string>>(commands.rbegin(), commands.rend());
  return [left]() -> std::optional<std::string> {
    if (left->empty()) return std::nullopt;
    std::string line = std::move(left->back());
    left->pop_back();
    return line;
  };
}

midonet_cli::ReadLine of_stream(std::istream& in) {
  return [&in]() -> std::optional<std::string> {
    std::string line;
    if (!std::getline(in, line)) return std::nullopt;
    return line;
  };
}

midonet_cli::ReadLine of_person(const Aliases& aliases) {
  auto editor = std::make_shared<midonet_cli::LineEditor>(
      [&aliases](const std::vector<std::string>& words) { return midonet_cli::suggest(words, aliases.all()); });
  return [editor] { return editor->read(kPrompt); };
}

midonet_cli::ReadLine reader(Session& session, const MidonetOptions& words, std::vector<std::string> commands,
                             const Aliases& aliases) {
  if (words.evaluates) return of_options(std::move(commands));
  return is_interactive(session, words) ? of_person(aliases) : of_stream(session.in());
}

Result<ExitCode> run_commands(Session& session, const MidonetOptions& words, std::vector<std::string> commands) {
  if (!words.evaluates && !words.words.empty())
    return usage_error("there is no -e before '" + words.words.front() + "'",
                       "viaduct midonet-cli -e " + words.words.front() + " …, or lines on standard input");
  if (words.evaluates && commands.empty()) return usage_error("there is no command behind -e", "as in -e list bridge");
  auto settings = settings_of(session, words);
  if (!settings) return settings.failure();
  auto source = source_of(session, words, *settings);
  if (!source) return source.failure();

  const std::string file = in_home(session, ".midonet-cli.aliases");
  Aliases aliases(mode_of(session, words));
  auto stored = aliases.understands() ? text_of_file(file) : Result<std::string>(std::string());
  if (!stored) return stored.failure();
  aliases.load(*stored, (*source)->name());

  midonet_cli::Interpreter interpreter(
      **source, aliases,
      {session.out(), session.err(), session.wants_json() ? midonet_cli::Output::json : midonet_cli::Output::lines});
  interpreter.set_tenant(settings->tenant.value_or(""));
  if (words.debug) interpreter.set_debug(midonet_cli::Interpreter::Debug::on);
  const bool numbered = !words.evaluates && !is_interactive(session, words);
  const auto report = [&](const Failure& failure, size_t line) {
    session.out().flush();
    Failure shown = failure;
    if (numbered) shown.message = "line " + std::to_string(line) + ": " + shown.message;
    print_failure(shown, session.settings().form, session.err());
  };
  const ExitCode code = run_session(interpreter, reader(session, words, std::move(commands), aliases), report,
                                    words.stops ? midonet_cli::OnFailure::stop : midonet_cli::OnFailure::go_on);
  if (!aliases.changed() || file.empty()) return code;
  auto now = text_of_file(file);
  const std::string wrong =
      now ? keep_file(file, aliases.save(*now, (*source)->name())) : std::string(now.failure().message);
  if (!wrong.empty()) session.err() << "viaduct: the aliases are not kept: " << file << ": " << wrong << '\n';
  return code;
}

// Each -e begins a command; the words behind it, up to the next one, are its.
std::vector<std::string> commands_of(const CLI::App& app, const CLI::Option* evaluate, const CLI::Option* positional,
                                     const std::vector<std::string>& words) {
  std::vector<std::string> out;
  std::string line;
  size_t next = 0;
  for (const CLI::Option* option : app.parse_order()) {
    if (option == evaluate && !line.empty()) out.push_back(std::move(line));
    if (option == evaluate) line.clear();
    if (option == positional && next < words.size()) line += (line.empty() ? "" : " ") + words[next++];
  }
  if (!line.empty()) out.push_back(std::move(line));
  return out;
}

std::vector<std::string> verb_names() {
  std::vector<std::string> out;
  for (const midonet_cli::VerbName& each : midonet_cli::verbs()) out.emplace_back(each.name);
  return out;
}

void add_connection_options(Tree& tree, CLI::App& command, MidonetOptions& words) {
  auto& given = words.given;
  command.add_option("--midonet-url", given.url, "A REST API, instead of the daemon's socket")->type_name("URL");
  command.add_option("-u,--user", given.user, "Who logs in there")->type_name("NAME");
  command.add_flag("-p,--password", words.asks_password, "Ask for the password");
  command.add_option("-i,--project-id,--project_id", given.project, "In which project")->type_name("PROJECT");
  command.add_flag("-A,--no-auth", words.no_auth, "Do not log in, and send no token");
  tree.hint(command.add_option("--ca-file", words.ca_file, "Certificates of authorities to trust there (PEM)")
                ->type_name("FILE"),
            Hint::file());
  command
      .add_option("--disable-ssl-certificate-validation,--disable_ssl_certificate_validation", given.certificates,
                  "true: whoever answers there is trusted")
      ->type_name("true|false");
}

}  // namespace

void add_midonet_cli_command(Tree& tree) {
  auto words = std::make_shared<MidonetOptions>();
  struct Parts {
    const CLI::App* app = nullptr;
    const CLI::Option *evaluate = nullptr, *positional = nullptr;
  };
  auto parts = std::make_shared<Parts>();
  auto& command =
      tree.leaf(tree.root(), "midonet-cli", "MidoNet's command line, for scripts that there are",
                "  viaduct midonet-cli -e create bridge name web\n"
                "  viaduct midonet-cli -e bridge name web add port -e list bridge\n"
                "  viaduct midonet-cli < script\n"
                "  viaduct midonet-cli --midonet-url http://127.0.0.1:8181/midonet-api -u carol -p\n",
                [=](Session& session) {
                  return run_commands(session, *words,
                                      commands_of(*parts->app, parts->evaluate, parts->positional, words->words));
                });
  parts->app = &command;
  parts->evaluate =
      command.add_flag("-e,--eval", words->evaluates, "Carry out the command that follows; may be repeated");
  auto* positional = command.add_option("command", words->words, "The command of -e");
  tree.hint(positional, Hint::choice(verb_names()));
  parts->positional = positional;
  add_connection_options(tree, command, *words);
  command.add_option("--tenant", words->given.tenant, "List and create what is this tenant's")->type_name("TENANT");
  command.add_flag("--aliases", words->aliases, "Give and print aliases in scripts, too");
  command.add_flag("--no-aliases", words->no_aliases, "Neither give nor understand aliases");
  command.add_flag("--stop-on-error", words->stops, "End at the first command that fails");
  command.add_flag("-d,--debug", words->debug, "Print every request and answer on standard error");
}

}  // namespace viaduct::api::cli
