#include "actors/runtime/node.hpp"

#include "actor_bench.hpp"
#include "agent_bench.hpp"

namespace viaduct::actors {
namespace {

using observability::ActorState;
using testing::ElementsAre;

class NodeTest : public ActorTest {
 protected:
  ~NodeTest() override {
    self->send_exit(node, caf::exit_reason::kill);
    self->wait_for(node);
    for (const auto& child : children) {
      self->send_exit(child.running, caf::exit_reason::kill);
      self->wait_for(child.running);
    }
  }
  // Journals its orderly stop.
  caf::actor child(const std::string& name) {
    auto handle = system.spawn([this, name](SupervisedActor::pointer me) -> SupervisedActor::behavior_type {
      return {[name](const ReportStatus&) {
                observability::ActorStatus status;
                status.name = name;
                status.mailbox_depth = 3;
                return status;
              },
              [this, me, name](const Shutdown&) {
                stopped.add(name);
                me->quit();
              }};
    });
    return caf::actor_cast<caf::actor>(handle);
  }
  void add(const std::string& name, const std::string& kind, std::function<caf::actor()> restart = {}) {
    children.push_back({name, kind, child(name), std::move(restart)});
  }
  void start() {
    node = spawn_node(system, children, {probe, [this](int code) { exit_code.add(code); }});
  }
  observability::ActorStatus status(const std::string& name) {
    for (const auto& actor : ask<NodeReport>(node, ReportNode{}).actors) {
      if (actor.name == name) return actor;
    }
    return {};
  }

  observability::Registry registry;
  observability::SupervisorProbe probe{registry};
  std::vector<ChildSpec> children;
  Journal<std::string> stopped;
  Journal<int> exit_code;
  NodeActor node;
};

TEST_F(NodeTest, AStopIsInTheReverseOrderOfTheStart) {
  for (const char* name : {"topology_store", "devices", "datapath", "admin_endpoint"}) add(name, name);
  start();
  self->send(node, Shutdown{});
  EXPECT_THAT(exit_code.wait_for(1), ElementsAre(0));
  EXPECT_THAT(stopped.wait_for(4), ElementsAre("admin_endpoint", "datapath", "devices", "topology_store"));
  self->send(node, Shutdown{});  // to one that has ended
}

TEST_F(NodeTest, ACoreActorsDeathEndsTheDaemonInOrder) {
  for (const char* name : {"topology_store", "datapath", "admin_endpoint"}) add(name, name);
  start();
  self->send_exit(children[1].running, caf::exit_reason::kill);
  EXPECT_THAT(exit_code.wait_for(1), ElementsAre(1));
  EXPECT_THAT(stopped.wait_for(2), ElementsAre("admin_endpoint", "topology_store"));
}

TEST_F(NodeTest, AnAuxiliaryActorIsStartedAgain) {
  Journal<caf::actor> started;
  add("datapath", "datapath");
  add("learned_state", "learned_state", [&] {
    started.add(child("learned_state"));
    return started.wait_for(1).back();
  });
  start();
  self->send_exit(children[1].running, caf::exit_reason::kill);
  ASSERT_EQ(started.wait_for(1).size(), 1);
  ASSERT_TRUE(eventually([&] { return status("learned_state").state == ActorState::running; }));
  EXPECT_EQ(status("learned_state").restarts, 1);
  EXPECT_NE(status("learned_state").last_error, "");
  EXPECT_EQ(metric(registry, "viaduct_actor_restarts_total", "learned_state"), 1);
  self->send_exit(started.wait_for(1)[0], caf::exit_reason::kill);
  EXPECT_EQ(started.wait_for(2).size(), 2) << "and again";
  self->send(node, Shutdown{});
  EXPECT_THAT(exit_code.wait_for(1), ElementsAre(0));
}

TEST_F(NodeTest, AStartThatFailsIsTriedAgain) {
  std::atomic<int> attempts{0};
  add("admin_endpoint", "admin_endpoint", [&] { return ++attempts < 3 ? caf::actor{} : child("admin_endpoint"); });
  start();
  self->send_exit(children[0].running, caf::exit_reason::kill);
  ASSERT_TRUE(eventually([&] { return attempts == 3; }));
  ASSERT_TRUE(eventually([&] { return status("admin_endpoint").state == ActorState::running; }));
  self->send(node, Shutdown{});
  EXPECT_THAT(exit_code.wait_for(1), ElementsAre(0));
}

TEST_F(NodeTest, EveryActorIsAskedHowItIs) {
  add("devices", "devices");
  start();
  EXPECT_TRUE(eventually([&] { return status("devices").mailbox_depth == 3; }));
  EXPECT_EQ(metric(registry, "viaduct_actor_mailbox_depth", "devices"), 3);
  self->send(node, Shutdown{});
  exit_code.wait_for(1);
}

}  // namespace
}  // namespace viaduct::actors
