--- The program around us: nginx, HAProxy, or any other. What it allows is ampersand.util.background's.

local host = {}

--- nginx's table `ngx`; nil elsewhere.
function host.nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and ngx.get_phase and ngx or nil
end

--- HAProxy's table `core`; nil elsewhere, also where a program has a `core` of its own.
function host.haproxy()
  local haproxy = rawget(_G, "core")
  if type(haproxy) ~= "table" then return nil end
  for _, name in ipairs { "httpclient", "msleep", "yield", "register_action", "register_task", "register_fetches" } do
    if type(haproxy[name]) ~= "function" then return nil end
  end
  return haproxy
end

--- The name of the module that sends requests here, such as "transport.curl".
---@return string
function host.transport()
  return "transport." .. (host.nginx() and "nginx" or host.haproxy() and "haproxy" or "curl")
end

return host
