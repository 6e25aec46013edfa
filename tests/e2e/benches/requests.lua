-- wrk's script: POST requests, each about a random customer. The environment has the HEADERS, one a line, the BODY, in which NUMBER is replaced, and
-- the number of CUSTOMERS.
local customers = tonumber(os.getenv("CUSTOMERS"))
local before, after = os.getenv("BODY"):match("^(.*)NUMBER(.*)$")
wrk.method = "POST"
for name, value in os.getenv("HEADERS"):gmatch("([^:\n]+): ([^\n]+)") do
  wrk.headers[name] = value
end

function init()
  math.randomseed(os.time())
end

function request()
  return wrk.format(nil, nil, nil, before .. string.format("%d", math.random(customers)) .. after)
end

-- One line for the benchmark: requests, answers of 400 and above, errors of connections, microseconds, latencies in microseconds.
function done(summary, latency)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d %d %d", summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, summary.duration, latency:percentile(50),
    latency:percentile(99)))
end
