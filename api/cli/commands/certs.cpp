// certs: a small authority in a directory, and the certificates of hosts. Needs no daemon.
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "api/certificates/authority.hpp"
#include "api/certificates/key_file.hpp"
#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "schema/identity/credentials.hpp"

namespace viaduct::api::cli {
namespace {

namespace fs = std::filesystem;
using certificates::Authority;
using certificates::Existing;
using certificates::HostRequest;
using certificates::Issued;
using certificates::Validity;
using identity::CertificateFacts;
using Clock = std::chrono::system_clock;

constexpr int kAuthorityDays = 3650;
constexpr int kHostDays = 730;
constexpr int kMaxDays = 36'500;
constexpr const char* kAuthorityName = "ca";

struct Made {
  fs::path certificate, key;
};

Failure refused(std::string code, std::string message, std::string cure) {
  return {ExitCode::refused, std::move(code), std::move(message), std::move(cure), {}};
}

Result<std::string> text_of(const fs::path& path, const char* cure) {
  std::string error;
  auto text = identity::read_file(path.string(), error);
  if (text) return std::move(*text);
  return refused("file_unreadable", "cannot read " + path.string() + ": " + error, cure);
}

Result<Done> make_directory(const fs::path& directory) {
  std::error_code problem;
  fs::create_directories(directory.parent_path().empty() ? "." : directory.parent_path(), problem);
  if (mkdir(directory.c_str(), 0700) == 0 || (errno == EEXIST && fs::is_directory(directory, problem))) return Done{};
  return refused("directory", "cannot make the directory " + directory.string() + ": " + std::strerror(errno),
                 "name one that can be made");
}

Made files_in(const fs::path& directory, const std::string& name) {
  return {directory / (name + ".pem"), directory / (name + ".key")};
}

// Both or none, as far as one can say beforehand; the key first, so that a certificate never lacks its key.
Result<Done> write_pair(const Made& files, const Issued& issued, Existing existing) {
  for (const fs::path& path : {files.key, files.certificate})
    if (existing == Existing::keep && fs::exists(path))
      return refused("file_exists", path.string() + " is there already",
                     "name another directory, or replace it with --force");
  for (const auto& [path, text] :
       {std::pair{files.key, issued.key}, std::pair{files.certificate, issued.certificate}}) {
    std::string wrong = certificates::write_private(path.string(), text, existing);
    if (!wrong.empty()) return refused("file_unwritable", wrong, "is the directory writable, and is there room?");
  }
  return Done{};
}

Json json_of(const CertificateFacts& facts) {
  Json json = {{"host", facts.host.empty() ? Json(nullptr) : Json(facts.host)},
               {"host_id", facts.host_id ? Json(facts.host_id->to_string()) : Json(nullptr)},
               {"roles", Json::array()},
               {"addresses", facts.addresses},
               {"authority", facts.is_authority},
               {"subject", facts.subject},
               {"issuer", facts.issuer},
               {"key", facts.key},
               {"not_before", identity::to_string(facts.not_before)},
               {"not_after", identity::to_string(facts.not_after)},
               {"fingerprint", identity::to_string(facts.fingerprint)}};
  for (identity::Role role : {identity::Role::agent, identity::Role::cluster})
    if (facts.roles.has(role)) json["roles"].push_back(std::string(to_string(role)));
  return json;
}

void print_facts(std::ostream& out, const CertificateFacts& facts) {
  auto line = [&](const char* name, const std::string& text) {
    if (!text.empty()) out << name << std::string(14 - std::string_view(name).size(), ' ') << text << '\n';
  };
  std::string addresses;
  for (const std::string& address : facts.addresses) addresses += (addresses.empty() ? "" : ", ") + address;
  line("host", facts.host);
  line("host id", facts.host_id ? facts.host_id->to_string() : "");
  line("roles", to_string(facts.roles));
  line("addresses", addresses);
  line("authority", facts.is_authority ? "yes: it signs others" : "");
  line("subject", facts.subject);
  line("issuer", facts.issuer);
  line("key", facts.key);
  line("valid from", identity::to_string(facts.not_before));
  line("valid to", identity::to_string(facts.not_after) + (facts.not_after < Clock::now() ? " (expired)" : ""));
  line("fingerprint", identity::to_string(facts.fingerprint));
  line("unusable", facts.problem);
}

// --- init ---------------------------------------------------------------------------------------------

struct InitWords {
  std::string directory, name = "viaduct";
  int days = kAuthorityDays;
  bool force = false;
};

Result<ExitCode> init(Session& session, const InitWords& words) {
  if (!identity::is_host_name(words.name))
    return usage_error("'" + words.name + "' is not a name for an authority",
                       "use 1 to 64 letters, digits, hyphens, dots and underscores");
  if (auto made = make_directory(words.directory); !made) return made.failure();
  std::string error;
  auto issued = Authority::make(words.name, Validity::days(Clock::now(), words.days), error);
  if (!issued) return refused("openssl", error, "");
  Made files = files_in(words.directory, kAuthorityName);
  auto written = write_pair(files, *issued, words.force ? Existing::replace : Existing::keep);
  if (!written) return written.failure();
  if (session.wants_json()) {
    session.print({{"certificate", files.certificate.string()}, {"key", files.key.string()}});
    return ExitCode::ok;
  }
  session.out() << "authority   " << files.certificate.string() << " (goes to every host)\n"
                << "its key     " << files.key.string() << " (stays here: who has it makes hosts of this network)\n"
                << "next        viaduct certs host NAME --dir " << words.directory << '\n';
  return ExitCode::ok;
}

void add_init(Tree& tree, CLI::App& certs) {
  auto words = std::make_shared<InitWords>();
  auto& command = tree.leaf(certs, "init", "Make an authority in a directory",
                            "  viaduct certs init /root/viaduct-ca\n  viaduct certs init ca --name east --days 1825\n",
                            [=](Session& session) { return init(session, *words); });
  tree.hint(command.add_option("directory", words->directory, "Directory, made when it is not there")->required(),
            Hint::file());
  command.add_option("--name", words->name, "Name of the authority (viaduct)")->type_name("NAME");
  command.add_option("--days", words->days, "Days that it is valid (3650)")->check(CLI::Range(1, kMaxDays));
  command.add_flag("--force", words->force, "Replace an authority: certificates that it signed end with it");
}

// --- host ---------------------------------------------------------------------------------------------

struct HostWords {
  std::string name, directory, out, id, role = "agent";
  std::vector<std::string> addresses;
  int days = kHostDays;
  bool force = false;
};

Result<HostRequest> request_of(const HostWords& words) {
  HostRequest request{words.name, std::nullopt, {}, {}, Validity::days(Clock::now(), words.days)};
  if (!identity::is_host_name(words.name) || words.name == kAuthorityName)
    return usage_error("'" + words.name + "' is not a name for a host with a certificate",
                       "use 1 to 64 letters, digits, hyphens, dots and underscores, and not ca");
  request.roles = {words.role != "cluster", words.role != "agent"};
  for (const std::string& text : words.addresses) {
    auto address = IpAddress::parse(text);
    if (!address) return usage_error("'" + text + "' is not an IP address", "use one like 10.0.0.1 or fd00::1");
    request.addresses.push_back(*address);
  }
  if (words.id.empty()) return request;
  request.id = HostId::parse(words.id);
  if (!request.id || request.id->is_nil())
    return usage_error("'" + words.id + "' is not a host's id", "it is in STATE_DIR/host-id of the host");
  return request;
}

Result<Authority> authority_in(const fs::path& directory) {
  constexpr const char* kCure = "make an authority first: viaduct certs init DIRECTORY";
  Made files = files_in(directory, kAuthorityName);
  auto certificate = text_of(files.certificate, kCure);
  if (!certificate) return certificate.failure();
  auto key = text_of(files.key, kCure);
  if (!key) return key.failure();
  std::string error;
  auto authority = Authority::load(*certificate, *key, error);
  if (authority) return std::move(*authority);
  return refused("authority_unusable", "the authority in " + directory.string() + " is not usable: " + error,
                 "restore ca.pem and ca.key, or make a new authority");
}

// The authority's certificate beside the host's, where that is another directory.
Result<Done> hand_out(const fs::path& directory, const fs::path& out, Existing existing) {
  std::error_code problem;
  if (fs::equivalent(directory, out, problem)) return Done{};
  auto text = text_of(files_in(directory, kAuthorityName).certificate, "");
  if (!text) return text.failure();
  fs::path to = files_in(out, kAuthorityName).certificate;
  std::string error;
  if (auto there = identity::read_file(to.string(), error); there == *text) return Done{};
  std::string wrong = certificates::write_private(to.string(), *text, existing);
  if (wrong.empty()) return Done{};
  return refused("file_unwritable", wrong,
                 "it is the certificate of another authority, or the directory is not writable");
}

Result<ExitCode> host(Session& session, const HostWords& words) {
  auto request = request_of(words);
  if (!request) return request.failure();
  auto authority = authority_in(words.directory);
  if (!authority) return authority.failure();
  std::string error;
  auto issued = authority->issue(*request, error);
  if (!issued) return refused("not_issued", error, "");
  fs::path out = words.out.empty() ? words.directory : words.out;
  Existing existing = words.force ? Existing::replace : Existing::keep;
  if (auto made = make_directory(out); !made) return made.failure();
  if (auto handed = hand_out(words.directory, out, existing); !handed) return handed.failure();
  Made files = files_in(out, words.name);
  if (auto written = write_pair(files, *issued, existing); !written) return written.failure();
  fs::path ca = files_in(out, kAuthorityName).certificate;
  if (session.wants_json()) {
    session.print({{"ca", ca.string()}, {"certificate", files.certificate.string()}, {"key", files.key.string()}});
    return ExitCode::ok;
  }
  session.out() << "# in viaductd.toml of " << words.name << ", with the paths to which these files go there:\n"
                << "[host]\nname = \"" << words.name << "\"\n[tls]\nca = \"" << ca.string() << "\"\ncertificate = \""
                << files.certificate.string() << "\"\nkey = \"" << files.key.string() << "\"\n";
  return ExitCode::ok;
}

void add_host(Tree& tree, CLI::App& certs) {
  auto words = std::make_shared<HostWords>();
  auto& command = tree.leaf(certs, "host", "Make the certificate and the key of a host",
                            "  viaduct certs host node-1 --dir /root/viaduct-ca\n"
                            "  viaduct certs host db-1 --dir ca --role cluster --address 10.0.0.2 --out db-1\n",
                            [=](Session& session) { return host(session, *words); });
  command.add_option("name", words->name, "Name of the host in the topology")->required();
  tree.hint(command.add_option("--dir", words->directory, "Directory of the authority")->required()->type_name("DIR"),
            Hint::file());
  std::vector<std::string> roles = {"agent", "cluster", "both"};
  tree.hint(command.add_option("--role", words->role, "agent, cluster or both (agent)")->check(CLI::IsMember(roles)),
            Hint::choice(roles));
  command.add_option("--id", words->id, "Id of the host: the certificate is for no other")->type_name("UUID");
  command.add_option("--address", words->addresses, "IP address of the host, once for each")->type_name("IP");
  command.add_option("--days", words->days, "Days that it is valid (730)")->check(CLI::Range(1, kMaxDays));
  tree.hint(
      command.add_option("--out", words->out, "Directory for the files (that of the authority)")->type_name("DIR"),
      Hint::file());
  command.add_flag("--force", words->force, "Replace files that are there");
}

// --- show, verify ----------------------------------------------------------------------------------------

Result<ExitCode> show(Session& session, const std::string& file) {
  auto text = text_of(file, "name a file with certificates");
  if (!text) return text.failure();
  auto chain = identity::parse_pem(*text);
  if (!chain) return refused("not_a_certificate", file + " holds no readable certificates", "name a file in PEM");
  Json all = Json::array();
  for (const auto& certificate : *chain) {
    CertificateFacts facts = identity::facts_of(certificate.get());
    if (!session.wants_json() && !all.empty()) session.out() << '\n';
    if (!session.wants_json()) print_facts(session.out(), facts);
    all.push_back(json_of(facts));
  }
  if (session.wants_json()) session.print(all);
  return ExitCode::ok;
}

struct VerifyWords {
  std::string certificate, ca, key, revoked;
};

Failure not_valid(std::string message, std::string cure) {
  return refused("not_valid", std::move(message), std::move(cure));
}

// With the key as a daemon checks its own files; without as another host would see the certificate.
Result<Done> judge(const VerifyWords& words) {
  if (!words.key.empty()) {
    std::vector<identity::CredentialProblem> problems;
    auto loaded = identity::Credentials::load({words.ca, words.certificate, words.key, words.revoked}, {}, Clock::now(),
                                              problems);
    if (loaded) return Done{};
    std::string message;
    for (const auto& problem : problems) message += (message.empty() ? "" : "\n") + problem.text;
    return not_valid(message, problems.front().cure);
  }
  auto ca = text_of(words.ca, "name the file of the authority");
  if (!ca) return ca.failure();
  auto certificate = text_of(words.certificate, "name the file of a certificate");
  if (!certificate) return certificate.failure();
  auto refusal = identity::check_pem(*ca, *certificate, Clock::now());
  if (refusal) return not_valid(words.certificate + ": " + refusal->text, "");
  return Done{};
}

Result<ExitCode> verify(Session& session, const VerifyWords& words) {
  auto good = judge(words);
  if (!good) return good.failure();
  if (session.wants_json()) {
    session.print({{"valid", true}, {"certificate", words.certificate}});
  } else {
    session.out() << words.certificate << ": valid\n";
  }
  return ExitCode::ok;
}

void add_show_and_verify(Tree& tree, CLI::App& certs) {
  auto file = std::make_shared<std::string>();
  auto& show_command = tree.leaf(certs, "show", "What the certificates in a file say",
                                 "  viaduct certs show node-1.pem\n"
                                 "  viaduct certs show stolen.pem --json | jq -r '.[0].fingerprint' >> revoked\n",
                                 [=](Session& session) { return show(session, *file); });
  tree.hint(show_command.add_option("file", *file, "File with certificates (PEM)")->required(), Hint::file());

  auto words = std::make_shared<VerifyWords>();
  auto& command = tree.leaf(certs, "verify", "Whether a host's certificate is good now",
                            "  viaduct certs verify node-1.pem --ca ca.pem\n"
                            "  viaduct certs verify node-1.pem --ca ca.pem --key node-1.key\n",
                            [=](Session& session) { return verify(session, *words); });
  tree.hint(command.add_option("file", words->certificate, "File with the certificate (PEM)")->required(),
            Hint::file());
  tree.hint(command.add_option("--ca", words->ca, "File with the authorities")->required()->type_name("FILE"),
            Hint::file());
  CLI::Option* key =
      command.add_option("--key", words->key, "File with its key: is it the right one?")->type_name("FILE");
  CLI::Option* revoked =
      command.add_option("--revoked", words->revoked, "File with fingerprints that are shut out; with --key")
          ->type_name("FILE");
  revoked->needs(key);
  tree.hint(key, Hint::file());
  tree.hint(revoked, Hint::file());
}

}  // namespace

void add_certs_commands(Tree& tree) {
  CLI::App& certs = tree.group(tree.root(), "certs", "Certificates of hosts, for those who have no authority");
  add_init(tree, certs);
  add_host(tree, certs);
  add_show_and_verify(tree, certs);
}

}  // namespace viaduct::api::cli
