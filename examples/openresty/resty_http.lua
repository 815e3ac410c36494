--- For those who have lua-resty-http in use already: ampersand.new { transport = require "resty_http" }
local http = require "resty.http"

local function request(_, req)
  local scheme, host, port, path = unpack(assert(http:parse_uri(req.url)))
  local client, left = http.new(), (req.timeout or 60) * 1000
  client:set_timeouts(math.min(req.connect_timeout * 1000, left), left, math.min(req.read_timeout * 1000, left))
  local ok, why = client:connect { scheme = scheme, host = host, port = port, ssl_verify = true }
  if not ok then return nil, tostring(why), "connect", false end
  local res
  res, why = client:request { method = req.method, path = path, headers = req.headers, body = req.body }
  if not res then return nil, tostring(why), why == "timeout" and "timeout" or "closed", true end
  local headers = {}
  for name, value in pairs(res.headers) do
    headers[name:lower()] = type(value) == "table" and table.concat(value, ", ") or value
  end
  return {
    status = res.status, headers = headers,
    read = function()
      if not res.body_reader then return nil end
      local piece, problem = res.body_reader(32768)
      return piece, problem, problem and (problem == "timeout" and "timeout" or "closed")
    end,
    close = function(reusable) return reusable and client:set_keepalive() or client:close() end,
  }
end

return { request = request, sleep = function(_, seconds) ngx.sleep(seconds) end }
