#include "actors/daemons/command_line.hpp"

#include <CLI/CLI.hpp>

#include "actors/daemons/config_check.hpp"

namespace viaduct::actors {

namespace {

constexpr const char* kExamples = R"(
Options override the configuration file; its keys: viaductd --print-config, man viaductd.

Examples:
  viaductd                                  a complete system on this host: store, agent, API
  viaductd --datapath ebpf --workers 2      choose the datapath and the packet workers
  viaductd --log-level info,datapath=debug  more words from one component
  viaductd --config my.toml --check-config  is the file right? Says every problem and its place
  viaductd --print-config > my.toml         a file with every key, its default and what it means
  viaductd --cleanup                        remove ports, flows and BGP speakers that a stopped daemon left

The daemon keeps forwarding state in the kernel when it ends: a restart loses no packet of known flows.
Drive it with the tool `viaduct`; see `viaduct --help`.)";

std::string type_name(const Setting& setting) {
  if (!std::holds_alternative<uint64_t>(setting.get(Config{}))) return "TEXT";
  return setting.allowed.unit == Unit::seconds ? "SECONDS" : "NUMBER";
}

std::string default_text(const Setting& setting) {
  SettingValue value = setting.get(Config{});
  if (const auto* number = std::get_if<uint64_t>(&value)) return std::to_string(*number);
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : std::string();
}

// What is wrong with the text of an option; empty: nothing.
std::string check_option(const Setting& setting, const std::string& text) {
  auto value = parse_value(setting, text);
  if (!value) return "'" + text + "' is not " + allowed_phrase(setting);
  return check_value(setting, *value).value_or("");
}

void add_settings(CLI::App& app, Invocation& invocation) {
  for (const Setting& setting : kSettings) {
    if (setting.option.empty()) continue;
    auto take = [&invocation, &setting](const std::string& text) { invocation.overrides.emplace_back(&setting, text); };
    app.add_option_function<std::string>(std::string(setting.option), take,
                                         std::string(setting.help) + " (" + allowed_phrase(setting) + ")")
        ->type_name(type_name(setting))
        ->default_str(default_text(setting))
        ->check([&setting](const std::string& text) { return check_option(setting, text); });
  }
}

void add_actions(CLI::App& app, Invocation& invocation) {
  using Action = Invocation::Action;
  auto add = [&](const char* name, Action action, const char* help) {
    auto take = [&invocation, name, action] {
      if (invocation.action != Action::serve) throw CLI::ValidationError(name, "does not go with another such option");
      invocation.action = action;
    };
    app.add_flag_callback(name, take, help);
  };
  add("--check-config", Action::check_config, "say what is wrong with the configuration, and end (0, 2)");
  add("--print-config", Action::print_config, "print the configuration in effect with comments, and end");
  add("--cleanup", Action::cleanup, "remove what an earlier life left in the kernel, and end");
}

void override_settings(const Invocation& invocation, ConfigSource& source) {
  for (const auto& [setting, text] : invocation.overrides) {
    auto value = parse_value(*setting, text);  // was checked when it was parsed
    if (value) setting->set(source.config, *value);
    source.where[std::string(setting->key)] = "command line";
  }
}

}  // namespace

std::optional<Invocation> parse_command_line(int argc, char** argv, int& exit_code) {
  Invocation invocation;
  CLI::App app{"viaductd: Viaduct's daemon. Makes packets behave as if the virtual network existed.", "viaductd"};
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("viaductd ") + VIADUCT_VERSION);
  app.add_option("--config", invocation.config_file, "configuration file")
      ->type_name("FILE")
      ->default_str(std::string(kDefaultConfigFile) + ", when there is one");
  add_settings(app, invocation);
  add_actions(app, invocation);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 2;
    return std::nullopt;
  }
  return invocation;
}

ConfigSource load_config(const Invocation& invocation, const std::string& default_file) {
  ConfigSource source;
  if (invocation.config_file.empty()) {
    read_config_file(default_file, Absence::allowed, source);
  } else {
    read_config_file(invocation.config_file, Absence::problem, source);
  }
  override_settings(invocation, source);
  check_config(source);
  check_files(source, std::chrono::system_clock::now());
  return source;
}

}  // namespace viaduct::actors
