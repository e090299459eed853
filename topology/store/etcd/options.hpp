// What the operator configured, as gRPC wants it.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>

#include "topology/store/etcd/etcd_store.hpp"

namespace viaduct::topology::store::etcd {

// Reads the files of TLS. An error names the file and what is wrong with it.
Result<std::shared_ptr<grpc::ChannelCredentials>> credentials_of(const EtcdOptions& options);

}  // namespace viaduct::topology::store::etcd
