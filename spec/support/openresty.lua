-- Starts nginx with its Lua module (and redis-server) on free loopback ports, with a prefix of its own.

local core = require "ampersand.core"
local machine = require "support.machine"
local server = require "support.server"
local socket = require "socket"

local nginx = {}
local Server = {}
Server.__index = Server

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

nginx.read, nginx.free_ports, nginx.alive = server.read, server.free_ports, server.alive

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- The file of a module of nginx, or nil.
local function module_file(name)
  for _, library in ipairs { "lib", "lib64" } do
    local path = ("/usr/%s/nginx/modules/%s.so"):format(library, name)
    if core.permissions(path) then return path end
  end
end

--- What is said where nginx or its Lua module is absent, or nil.
---@return string?
function nginx.missing_module()
  if machine.has "nginx" and module_file "ngx_http_lua_module" then return nil end
  return machine.absent("nginx's Lua module",
    "apt-get install nginx-light libnginx-mod-http-lua lua-resty-core")
end

--- What is said where Redis, or its client for nginx, is absent, or nil.
---@return string?
function nginx.missing_redis()
  if machine.has "redis-server" and core.permissions "/usr/share/lua/5.1/nginx/redis.lua" then return nil end
  return machine.absent("Redis, or its client for nginx,", "apt-get install redis-server lua-nginx-redis")
end

--- Whether nginx's specs cannot run here. They belong to LuaJIT's run, which has them pending where nginx is absent.
---@param pending function busted's
---@return boolean
function nginx.unable(pending)
  if os.getenv "LUA_VERSION" ~= "jit" then return true end
  local missing = nginx.missing_module()
  if missing then pending(missing) end
  return missing ~= nil
end

--- Waits until `condition()` holds; false after `seconds`.
---@return boolean
function nginx.await(seconds, condition)
  return server.await(seconds, condition) and true or false
end

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
events { worker_connections {{connections}}; }
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
    local file = module_file(name)
    if file then lines[#lines + 1] = ("load_module %s;"):format(file) end
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
    modules = load_modules(), user = output "exec id -u" == "0" and "user root;" or "", log_level = "warn", workers = 1,
    connections = 2048,
    main = "", http = "", server = "", origin = "", listen = "", lua_path = "", root = os.getenv "PWD",
    prefix = server.folder(),
    port = ports[1], upstream = ports[2], spare = ports[3],
  }
  for name, value in pairs(options) do values[name] = value end
  return values
end

local function environment(values)
  local words = {}
  for name, value in pairs(values or {}) do words[#words + 1] = name .. "=" .. server.quote(value) end
  return table.concat(words, " ")
end

-- What `make coverage` puts into nginx alone.
local function preloaded()
  local library = os.getenv "AMP_NGINX_PRELOAD"
  return library and " LD_PRELOAD=" .. server.quote(library) or ""
end

--- Starts nginx. Texts may hold {{port}}, {{upstream}} (the second server's), {{spare}} (a free one), {{prefix}} and
--- the names of other options.
---@param options table http, server, origin, main (configuration texts), workers, log_level, conf (a whole file),
--   files, env, lua_path (";dir/?.lua", searched after the project's own)
---@return table server with port, url, upstream, prefix, pid
function nginx.start(options)
  local values = values_of(options)
  local self = setmetatable({
    prefix = values.prefix, port = values.port, upstream = values.upstream, values = values,
    url = ("http://127.0.0.1:%d"):format(values.port),
  }, Server)
  for name, text in pairs(options.files or {}) do write(self.prefix .. "/" .. name, text) end
  write(self.prefix .. "/nginx.conf", options.conf and expand(options.conf, values) or expand(HEAD .. HTTP, values))
  local command = ("env %s%s nginx -p %s -c %s/nginx.conf"):format(environment(values.env), preloaded(), self.prefix,
    self.prefix)
  self.process = server.start(command, { what = "nginx", directory = self.prefix, seconds = 10, ready = function()
    return server.listens(self.port)
  end })
  self.pid = self.process.pid
  return self
end

--- Ends the server and removes its files; a second call does nothing.
function Server:stop()
  self.process:stop()
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
  return server.read(self.prefix .. "/error.log")
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
  if headers["transfer-encoding"] == "chunked" then body = server.dechunk(body) end
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

--- Starts a redis-server that keeps nothing, and wants a password when one is given.
---@return table redis port, stop()
function nginx.redis(password)
  local port, folder = server.free_ports(1)[1], server.folder()
  local command = "redis-server --port %d --bind 127.0.0.1 --save '' --appendonly no --daemonize no --dir %s %s"
  local redis = server.start(command:format(port, folder, password and "--requirepass " .. password or ""), {
    what = "redis-server", directory = folder, ready = function() return server.listens(port) end,
  })
  redis.port = port
  return redis
end

return nginx
