#include "actors/daemons/etcd_choice.hpp"

#include <fstream>

#include "observability/log.hpp"
#include "topology/store/etcd/etcd_store.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using observability::EventKind;
namespace store = topology::store;

namespace {

bool read_password(const std::string& file, std::string& password, std::string& error) {
  if (file.empty()) return true;
  std::ifstream in(file);
  if (std::getline(in, password) && !password.empty()) return true;
  error = "etcd.password_file: " + file + " cannot be read, or its first line is empty";
  return false;
}

// "/viaduct/" as the configuration writes it; the store adds the slash behind it itself.
std::string name_space(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  return prefix;
}

store::EtcdEvents events_to(observability::EtcdProbe& probe) {
  store::EtcdEvents events;
  events.called = [&probe](std::string_view method, std::string_view result) { probe.called(method, result); };
  events.took = [&probe](std::string_view method, std::chrono::nanoseconds took) { probe.took(method, took); };
  events.over = [&probe](bool answered) { probe.reachable(answered); };
  events.server_left = [&probe](std::string_view server, std::string_view reason) {
    probe.server_left(server);
    log::event(log::Component::store, log::Level::warning, EventKind::store_lost,
               "an etcd server does not serve; asking another", {{"server", server}, {"reason", reason}});
  };
  events.watch_broken = [&probe](std::string_view server, std::string_view reason) {
    probe.watch_broken();
    log::event(log::Component::store, log::Level::warning, EventKind::store_lost,
               "the watch of etcd is broken; it will go on where it was", {{"server", server}, {"reason", reason}});
  };
  events.watch_resumed = [&probe](std::string_view server) {
    probe.watch_resumed();
    log::event(log::Component::store, log::Level::info, EventKind::store_found, "the watch of etcd goes on",
               {{"server", server}});
  };
  events.authenticated = [&probe] { probe.authenticated(); };
  return events;
}

}  // namespace

std::unique_ptr<store::Store> open_etcd(const Config& config, observability::EtcdProbe& probe, std::string& error) {
  store::EtcdOptions options;
  options.endpoints = config.etcd.endpoints;
  options.user = config.etcd.user;
  options.name_space = name_space(config.etcd.prefix);
  options.events = events_to(probe);
  if (!read_password(config.etcd.password_file, options.password, error)) return nullptr;
  if (!config.etcd.ca.empty()) options.tls = store::EtcdTls{config.etcd.ca, config.etcd.certificate, config.etcd.key};
  auto opened = store::open_etcd_store(std::move(options));
  if (opened) return std::move(*opened);
  error = "etcd: " + opened.error().text;
  if (config.has_role("agent")) {
    error +=
        "; the agent of this daemon starts with its cluster role: as a daemon of its own it would start from its cache";
  }
  return nullptr;
}

}  // namespace viaduct::actors
