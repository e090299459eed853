-- Requests of wrk: paths of REST_PATHS, one after the other (REST_METHOD GET), or REST_BODY to them (POST).
local paths, at = {}, 0
for path in string.gmatch(os.getenv("REST_PATHS"), "%S+") do paths[#paths + 1] = path end
wrk.method = os.getenv("REST_METHOD")
wrk.body = os.getenv("REST_BODY")
wrk.headers["X-Auth-Token"] = os.getenv("REST_TOKEN")
if wrk.body then wrk.headers["Content-Type"] = "application/json" end

function request()
  at = at % #paths + 1
  return wrk.format(nil, paths[at])
end

function done(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("figures %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(99), failed))
end
