-- Starts nginx with its Lua module (and redis-server) for specs: free loopback ports, a prefix of its own under the
-- system's temporary files, stopped by process id. `timeout` ends what a killed spec would leave behind.

local machine = require "support.machine"
local socket = require "socket"

local nginx = {}
local Server = {}
Server.__index = Server

local LIFETIME = os.getenv "AMP_SERVER_LIFETIME" or 120 -- seconds

local function run(command)
  local ok = os.execute(command)
  return ok == true or ok == 0
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

nginx.read = read

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local MODULES = output "ls -d /usr/lib/nginx/modules /usr/lib64/nginx/modules 2>/dev/null | head -n 1"

--- What is said where nginx or its Lua module is absent, or nil.
---@return string?
function nginx.missing_module()
  if machine.has "nginx" and machine.succeeds("test -e " .. MODULES .. "/ngx_http_lua_module.so") then return nil end
  return machine.absent("nginx's Lua module", "apt-get install nginx-light libnginx-mod-http-lua lua-resty-core")
end

--- Whether nginx's specs cannot run here. They belong to LuaJIT's run; where nginx is absent, that run has them pending.
---@param pending function busted's
---@return boolean
function nginx.unable(pending)
  if os.getenv "LUA_VERSION" ~= "jit" then return true end
  local missing = nginx.missing_module()
  if missing then pending(missing) end
  return missing ~= nil
end

--- Some different free ports of the loopback address.
function nginx.free_ports(count)
  local listeners, ports = {}, {}
  for i = 1, count do
    listeners[i] = assert(socket.bind("127.0.0.1", 0))
    local _, port = listeners[i]:getsockname()
    ports[i] = math.floor(tonumber(port))
  end
  for _, listener in ipairs(listeners) do listener:close() end
  return ports
end

--- Waits until `condition()` holds; false after `seconds`.
function nginx.await(seconds, condition)
  local deadline = socket.gettime() + seconds
  repeat
    if condition() then return true end
    socket.sleep(0.01)
  until socket.gettime() > deadline
  return false
end

local function listens(port)
  local connection = socket.connect("127.0.0.1", port)
  if connection then connection:close() end
  return connection ~= nil
end

local function alive(pid)
  return run(("kill -0 %s 2>/dev/null"):format(pid))
end
nginx.alive = alive

-- The lines every configuration begins with. ndk must be loaded before lua.
local HEAD = [[
{{modules}}
{{user}}
daemon off;
pid {{prefix}}/nginx.pid;
error_log {{prefix}}/error.log {{log_level}};
worker_processes {{workers}};
worker_shutdown_timeout 20s;
{{main}}
events { worker_connections 2048; }
]]

local HTTP = [[
http {
  access_log off;
  default_type text/plain;
  client_body_temp_path {{prefix}}/body;
  proxy_temp_path {{prefix}}/proxy;
  fastcgi_temp_path {{prefix}}/fastcgi;
  uwsgi_temp_path {{prefix}}/uwsgi;
  scgi_temp_path {{prefix}}/scgi;
  lua_package_path "{{root}}/lua/?.lua;{{root}}/spec/?.lua{{lua_path}};;";
  lua_package_cpath "{{root}}/build/jit/?.so;;";
  lua_socket_log_errors off;
  {{http}}
  server {
    listen 127.0.0.1:{{port}} {{listen}};
    {{server}}
  }
  server {
    listen 127.0.0.1:{{upstream}};
    keepalive_requests 100000;
    {{origin}}
  }
}
]]

local function load_modules()
  local lines = {}
  for _, name in ipairs { "ndk_http_module", "ngx_http_lua_module" } do
    if run(("test -e %s/%s.so"):format(MODULES, name)) then
      lines[#lines + 1] = ("load_module %s/%s.so;"):format(MODULES, name)
    end
  end
  return table.concat(lines, "\n")
end

local function expand(text, values)
  local count
  repeat
    text, count = text:gsub("{{([%w_]+)}}", function(name)
      return tostring(values[name] or error("no value for {{" .. name .. "}}", 0))
    end)
  until count == 0
  return text
end

local function values_of(options)
  local ports = nginx.free_ports(3)
  local values = {
    modules = load_modules(), user = output "id -u" == "0" and "user root;" or "", log_level = "warn", workers = 1,
    main = "", http = "", server = "", origin = "", listen = "", lua_path = "", root = output "pwd",
    prefix = output "mktemp -d",
    port = ports[1], upstream = ports[2], spare = ports[3],
  }
  for name, value in pairs(options) do values[name] = value end
  return values
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function environment(values)
  local words = {}
  for name, value in pairs(values or {}) do words[#words + 1] = name .. "=" .. quote(value) end
  return table.concat(words, " ")
end

-- What `make coverage` puts into nginx alone.
local function preloaded()
  local library = os.getenv "AMP_NGINX_PRELOAD"
  return library and " LD_PRELOAD=" .. quote(library) or ""
end

-- Either for a bounded time, or for as long as this process holds the other end of a pipe.
local function launch(self)
  local prefix = self.prefix
  local command = "env %s %s nginx -p %s -c %s/nginx.conf >%s/out 2>&1 </dev/null &"
  local bound = not self.values.attached and "timeout " .. LIFETIME or ""
  command = command:format(environment(self.values.env) .. preloaded(), bound, prefix, prefix, prefix)
  if self.values.attached then
    local ending = " pid=$!; cat >/dev/null; kill $pid 2>/dev/null; wait; rm -rf " .. quote(prefix)
    self.pipe = assert(io.popen("trap '' INT; " .. command .. ending, "w"))
  else
    run(command)
  end
  nginx.await(10, function()
    self.pid = tonumber(read(prefix .. "/nginx.pid"))
    return self.pid and listens(self.port) or read(prefix .. "/out"):find("[emerg]", 1, true)
  end)
  if self.pid and listens(self.port) then return end
  local words = read(prefix .. "/out") .. read(prefix .. "/error.log")
  self:stop()
  error("nginx did not start:\n" .. words, 3)
end

--- Starts nginx. Texts may hold {{port}}, {{upstream}} (the second server's), {{spare}} (a free one), {{prefix}} and
--- the names of other options.
---@param options table http, server, origin, main (configuration texts), workers, log_level, conf (a whole file),
--   files, env, lua_path (";dir/?.lua", looked through after the project's own), attached (ends with this process)
---@return table server with port, url, upstream, prefix, pid
function nginx.start(options)
  local values = values_of(options)
  local self = setmetatable({
    prefix = values.prefix, port = values.port, upstream = values.upstream, values = values,
    url = ("http://127.0.0.1:%d"):format(values.port),
  }, Server)
  for name, text in pairs(options.files or {}) do write(self.prefix .. "/" .. name, text) end
  write(self.prefix .. "/nginx.conf", options.conf and expand(options.conf, values) or expand(HEAD .. HTTP, values))
  launch(self)
  return self
end

--- Ends the server and removes its files; a second call does nothing.
function Server:stop()
  if self.stopped then return end
  self.stopped = true
  if self.pid then
    run(("kill -TERM %d 2>/dev/null"):format(self.pid))
    if not nginx.await(5, function() return not alive(self.pid) end) then run(("kill -KILL %d"):format(self.pid)) end
  end
  if self.pipe then self.pipe:close() end
  run(("rm -rf '%s'"):format(self.prefix))
end

--- Loads the configuration anew, as `nginx -s reload` does.
function Server:reload()
  run(("kill -HUP %d"):format(self.pid))
end

--- The process ids of the workers.
function Server:workers()
  local pids = {}
  for pid in output(("ps -o pid= --ppid %d"):format(self.pid)):gmatch "%d+" do pids[#pids + 1] = tonumber(pid) end
  return pids
end

--- What nginx has logged.
function Server:log()
  return read(self.prefix .. "/error.log")
end

--- Opens a connection and sends a request; the answer is read by `finish`.
function Server:send(path, options)
  options = options or {}
  local connection = assert(socket.connect("127.0.0.1", options.port or self.port))
  connection:settimeout(20)
  local body = options.body or ""
  local method = options.method or (options.body and "POST" or "GET")
  local lines = { method .. " " .. path .. " HTTP/1.1", "Host: localhost", "Connection: close",
    "Content-Length: " .. #body }
  for name, value in pairs(options.headers or {}) do lines[#lines + 1] = name .. ": " .. value end
  assert(connection:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body))
  return connection
end

local function dechunk(text)
  local parts, at = {}, 1
  while true do
    local _, stop, size = text:find("^(%x+)\r\n", at)
    size = tonumber(size or "0", 16)
    if size == 0 then return table.concat(parts) end
    parts[#parts + 1] = text:sub(stop + 1, stop + size)
    at = stop + size + 3
  end
end

--- Reads the answer on a connection of `send`.
---@return integer? status, string body, table headers
function Server:finish(connection) -- luacheck: no self
  local text, _, partial = connection:receive "*a"
  connection:close()
  text = text or partial
  local head, body = text:match "^(.-\r\n)\r\n(.*)$"
  if not head then return nil, text, {} end
  local headers = {}
  for name, value in head:gmatch "\n([^:\r\n]+): *([^\r\n]*)" do headers[name:lower()] = value end
  if headers["transfer-encoding"] == "chunked" then body = dechunk(body) end
  return tonumber(head:match "^HTTP/1%.1 (%d+)"), body, headers
end

--- One request.
---@return integer? status, string body, table headers
function Server:ask(path, options)
  return self:finish(self:send(path, options))
end

-- --- a certificate authority of one run --------------------------------------------------------------------------

--- Makes a CA and a certificate for 127.0.0.1 and `localhost` in `prefix`: ca.pem, cert.pem, key.pem.
function nginx.certificate(prefix)
  local command = [[cd '%s' && {
    new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes" &&
    openssl req -x509 $new -days 2 -subj '/CN=spec CA' -keyout ca.key -out ca.pem &&
    openssl req $new -subj '/CN=127.0.0.1' -keyout key.pem -out cert.csr &&
    printf 'subjectAltName=DNS:127.0.0.1,DNS:localhost,IP:127.0.0.1\n' > ext &&
    openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out cert.pem
  } >/dev/null 2>&1]]
  assert(run(command:format(prefix)), "the openssl command is needed")
end

-- --- redis -----------------------------------------------------------------------------------------------------------

local Redis = {}
Redis.__index = Redis

--- Starts a redis-server that keeps nothing, and wants a password when one is given.
function nginx.redis(password)
  local port, prefix = nginx.free_ports(1)[1], output "mktemp -d"
  local command = "timeout %s redis-server --port %d --bind 127.0.0.1 --save '' --appendonly no --daemonize no "
    .. "--dir %s --pidfile %s/redis.pid " .. (password and "--requirepass " .. password or "") .. " >%s/out 2>&1 </dev/null &"
  run(command:format(LIFETIME, port, prefix, prefix, prefix))
  local self = setmetatable({ port = port, prefix = prefix }, Redis)
  nginx.await(10, function()
    self.pid = tonumber(read(prefix .. "/redis.pid"))
    return self.pid and listens(port)
  end)
  return self
end

function Redis:stop()
  if self.pid then run(("kill -TERM %d 2>/dev/null"):format(self.pid)) end
  if self.pid then nginx.await(5, function() return not alive(self.pid) end) end
  self.pid = nil
  run(("rm -rf '%s'"):format(self.prefix))
end

return nginx
