-- A script for wrk under a soak: asks the steady routes in turn and looks at each answer. Arguments behind `--`: how many routes
-- there are, and the first of them. Prints what was wrong, a line each, and at the end one line of JSON.
local mostLines = 3
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  requests, turn, wrong = {}, tonumber(args[2]), 0
  for route = 0, tonumber(args[1]) - 1 do
    table.insert(requests, wrk.format("GET", "/steady/" .. route))
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

-- wrk does not tell which request this answers: what its backend was asked for stands in the body.
function response(status, headers, body)
  if status == 200 and string.find(body, "^b%d GET /steady/%d+ .*\n$") then return end
  wrong = wrong + 1
  if wrong > mostLines then return end
  local fields = {}
  for name, value in pairs(headers) do table.insert(fields, name .. ": " .. value) end
  local text = status .. " {" .. table.concat(fields, ", ") .. "} " .. string.sub(body, 1, 300)
  io.write("WRONG " .. string.gsub(text, "%c", "|") .. "\n")
end

function done(summary, latency)
  local errors, wrong = summary.errors, 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("wrong") end
  io.write(string.format(
    '{"requests":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"wrong":%d,"slowestMs":%.1f}\n',
    summary.requests, errors.connect, errors.read, errors.write, errors.timeout, wrong, latency.max / 1000
  ))
end
