// rest passwd: the users of the REST API in their file. Needs no daemon.
#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "api/cli/secret_prompt.hpp"
#include "api/rest/password_file.hpp"

namespace viaduct::api::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultFile = "/etc/viaduct/passwords";

struct Words {
  std::string name, role, file = kDefaultFile;
};

Failure refused(std::string code, std::string message, std::string cure) {
  return {ExitCode::refused, std::move(code), std::move(message), std::move(cure), {}};
}

// Of those who change the same file one after the other: the directory is locked.
class DirectoryLock {
 public:
  explicit DirectoryLock(const fs::path& directory)
      : fd_(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), error_(fd_ < 0 ? errno : 0) {
    if (fd_ >= 0) flock(fd_, LOCK_EX);
  }
  ~DirectoryLock() {
    if (fd_ >= 0) close(fd_);
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  int error() const { return error_; }
  void sync() const { fsync(fd_); }

 private:
  const int fd_;
  const int error_;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// Owner and group of the file that is there; of a new one the group that may use the tool. Best effort: without the right
// to give it away it stays the caller's.
void hand_over(int fd, const fs::path& file) {
  struct stat there {};
  if (stat(file.c_str(), &there) == 0) {
    (void)!fchown(fd, there.st_uid, there.st_gid);
  } else if (const group* viaduct = getgrnam("viaduct")) {
    (void)!fchown(fd, static_cast<uid_t>(-1), viaduct->gr_gid);
  }
}

// Mode 0640, whole or not at all. What is wrong, or empty.
std::string write_whole(const fs::path& file, const std::string& text) {
  const std::string fresh = file.string() + ".new." + std::to_string(getpid());
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = fd >= 0 && write_all(fd, text);
  if (written) {
    hand_over(fd, file);
    written = fchmod(fd, 0640) == 0 && fsync(fd) == 0 && rename(fresh.c_str(), file.c_str()) == 0;
  }
  const int error = errno;
  if (fd >= 0) close(fd);
  if (written) return {};
  unlink(fresh.c_str());
  return std::strerror(error);
}

// Asked for before anything is locked.
Result<std::string> new_hash(Session& session, const std::string& name) {
  auto password = ask_secret(session, "Password of " + name + ": ");
  if (!password) return usage_error("there is no password", "type it, or give it as the first line of standard input");
  if (somebody_types(session) && ask_secret(session, "Once more: ") != password)
    return usage_error("the two passwords differ", "begin again: nothing has changed");
  return rest::hash_password(*password);
}

Result<std::string> present_text(const fs::path& file) {
  std::error_code problem;
  if (!fs::exists(file, problem) && !problem) return std::string();
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (in && fs::is_regular_file(file, problem)) return text.str();
  return refused("file_unreadable", "cannot read " + file.string(), "is it a file, and may you read it?");
}

Result<rest::Edited> store(const fs::path& file, const rest::NewPassword& wanted) {
  const fs::path directory = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const DirectoryLock lock(directory);
  if (lock.error() != 0)
    return refused("directory", "cannot open " + directory.string() + ": " + std::strerror(lock.error()),
                   "make the directory, or name another file with --file");
  auto text = present_text(file);
  if (!text) return text.failure();
  auto edited = rest::set_password(*text, wanted);
  if (!edited)
    return refused("not_a_password_file", file.string() + ": " + edited.failure().message, edited.failure().cure);
  const std::string wrong = write_whole(file, edited->text);
  if (!wrong.empty())
    return refused("file_unwritable", "cannot write " + file.string() + ": " + wrong,
                   "is the directory writable, and is there room?");
  lock.sync();
  return edited;
}

Result<ExitCode> set(Session& session, const Words& words) {
  if (const std::string wrong = rest::wrong_name(words.name); !wrong.empty())
    return usage_error("'" + words.name + "' cannot be a user: " + wrong, "name another");
  if (!words.role.empty() && !rest::user_with_role(words.name, words.role))
    return usage_error("'" + words.role + "' is no role",
                       "admin, reader or member:TENANT; a tenant has 1 to 255 characters, no space and no colon");
  auto hash = new_hash(session, words.name);
  if (!hash) return hash.failure();
  std::error_code problem;
  const fs::path linked = fs::canonical(words.file, problem);  // a link stays one
  const fs::path file = problem ? fs::path(words.file) : linked;
  auto edited = store(file, {words.name, *hash, words.role});
  if (!edited) return edited.failure();
  const std::string& role = edited->role;
  if (session.wants_json()) {
    session.print({{"user", words.name}, {"role", role}, {"file", file.string()}, {"created", edited->is_new}});
    return ExitCode::ok;
  }
  session.out() << words.name << " (" << role << ") " << (edited->is_new ? "added to " : "changed in ") << file.string()
                << "; a running viaductd takes it on SIGHUP: systemctl reload viaductd\n";
  return ExitCode::ok;
}

}  // namespace

void add_rest_commands(Tree& tree) {
  CLI::App& group = tree.group(tree.root(), "rest", "Users of the REST API");
  auto words = std::make_shared<Words>();
  auto& command = tree.leaf(group, "passwd", "Set the password of a user, and make the user when there is none",
                            "  sudo viaduct rest passwd carol --role admin\n"
                            "  sudo viaduct rest passwd rosa --role member:red\n"
                            "  viaduct rest passwd robot --file passwords < secret\n",
                            [=](Session& session) { return set(session, *words); });
  command.add_option("name", words->name, "Name of the user")->required();
  tree.hint(
      command
          .add_option("--role", words->role,
                      "admin, reader, or member:TENANT, who sees and changes what is that tenant's (what the user "
                      "has; of a new one: reader)")
          ->type_name("ROLE"),
      Hint::choice({"admin", "reader", "member:"}));
  tree.hint(command
                .add_option("--file", words->file,
                            "The file that rest.passwords in viaductd.toml names (/etc/viaduct/passwords)")
                ->type_name("FILE"),
            Hint::file());
}

}  // namespace viaduct::api::cli
