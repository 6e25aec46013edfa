-- wrk's script: each request creates a reset for a random customer. TOKEN and CUSTOMERS come from the environment.
local customers = tonumber(os.getenv("CUSTOMERS"))
wrk.method = "POST"
wrk.headers["authorization"] = "Bearer " .. os.getenv("TOKEN")
wrk.headers["content-type"] = "application/vnd.api+json"

function init()
  math.randomseed(os.time())
end

function request()
  local email = string.format("customer%d@example.com", math.random(customers))
  return wrk.format(nil, nil, nil,
    '{"data":{"type":"customer_password_resets","attributes":{"customer_email":"' .. email .. '"}}}')
end

-- One line for the benchmark: requests, answers other than 2xx, errors of connections, microseconds, latencies in microseconds.
function done(summary, latency)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d %d %d", summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, summary.duration, latency:percentile(50),
    latency:percentile(99)))
end
