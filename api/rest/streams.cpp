#include "api/rest/streams.hpp"

#include <microhttpd.h>

#include <utility>
#include <vector>

namespace viaduct::api::rest {
namespace {

constexpr size_t kPiece = 4'096;

}  // namespace

struct Streams::Running {
  Streams& all;
  MHD_Connection* connection;
  std::shared_ptr<BodyStream> stream;
};

MHD_Response* Streams::response_of(MHD_Connection* connection, const std::shared_ptr<BodyStream>& stream) {
  auto running = std::make_unique<Running>(Running{*this, connection, stream});
  {
    std::lock_guard lock(mutex_);
    if (finished_) {
      stream->close();
    } else {
      running_.insert(running.get());
    }
  }
  auto pull = [](void* of, uint64_t, char* to, size_t most) -> ssize_t {
    auto& self = *static_cast<Running*>(of);
    if (const size_t size = self.stream->read(to, most); size > 0) return static_cast<ssize_t>(size);
    if (self.stream->ended()) return MHD_CONTENT_READER_END_OF_STREAM;
    self.all.rest(self);
    return 0;
  };
  auto done = [](void* of) {
    const std::unique_ptr<Running> self(static_cast<Running*>(of));
    {
      std::lock_guard lock(self->all.mutex_);
      self->all.running_.erase(self.get());
    }
    self->stream->close();
  };
  return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kPiece, pull, running.release(), done);
}

// Until there is more. Who wakes it is counted, as libmicrohttpd must not end while a connection rests.
void Streams::rest(Running& running) {
  {
    std::lock_guard lock(mutex_);
    ++resting_;
  }
  MHD_suspend_connection(running.connection);
  running.stream->await([this, connection = running.connection] {
    MHD_resume_connection(connection);
    std::lock_guard lock(mutex_);
    --resting_;
    woken_.notify_all();
  });
}

void Streams::finish() {
  std::vector<std::shared_ptr<BodyStream>> streams;
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
    for (Running* each : running_) streams.push_back(each->stream);
  }
  for (const auto& stream : streams) stream->close();
  std::unique_lock lock(mutex_);
  woken_.wait(lock, [this] { return resting_ == 0; });
}

}  // namespace viaduct::api::rest
