-- nginx for specs and measurements: a real server for HTTP/2, gzip and generated files, on free loopback ports.

local server = require "support.server"

local nginx = {}

local CONFIG = [[
daemon off;
worker_processes 1;
pid PREFIX/nginx.pid;
error_log PREFIX/error.log warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path PREFIX/body; proxy_temp_path PREFIX/proxy; fastcgi_temp_path PREFIX/fastcgi;
  uwsgi_temp_path PREFIX/uwsgi; scgi_temp_path PREFIX/scgi;
  default_type application/json;
  keepalive_requests 1000000;
  http2_max_requests 1000000;
  gzip GZIP; gzip_types application/json; gzip_min_length 1000;
  sendfile on; tcp_nodelay on; limit_rate RATE;
  ssl_certificate PREFIX/good.pem; ssl_certificate_key PREFIX/good.key;
  ssl_session_cache shared:SSL:1m;
  ssl_session_tickets on;
  root PREFIX/www;
  server {
    listen 127.0.0.1:PLAIN;
    listen 127.0.0.1:TLS ssl;
    listen 127.0.0.1:H2 ssl http2;
    location /protocol { add_header X-Protocol $server_protocol; add_header X-Reused $ssl_session_reused;
                         return 200 "[]"; }
    location ~ /operations$ { try_files $uri/page$arg_pageToken.json =404; }
    location /slow { limit_rate 200k; try_files /1000.json =404; }
  }
}
]]

local function write(name, text)
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
end

---@class Nginx
---@field directory string certificates and www/ are here
---@field ports table<string, integer> plain, tls (HTTP/1.1), h2
local Nginx = {}
Nginx.__index = Nginx

---@param options table? gzip (boolean); rate (bytes a second, as nginx writes it); files (name -> text, under /)
---@return Nginx
function nginx.start(options)
  options = options or {}
  local directory = server.folder()
  os.execute(("mkdir '%s/www'"):format(directory))
  require("support.certificates").make(directory)
  for name, text in pairs(options.files or {}) do write(directory .. "/www/" .. name, text) end
  os.execute(("exec chmod -R go+rX '%s'"):format(directory)) -- its workers are another user
  local free = server.free_ports(3)
  local ports = { plain = free[1], tls = free[2], h2 = free[3] }
  local words = {
    PREFIX = directory, GZIP = options.gzip and "on" or "off", RATE = options.rate or "0",
    PLAIN = ports.plain, TLS = ports.tls, H2 = ports.h2,
  }
  write(directory .. "/nginx.conf", (CONFIG:gsub("%u[%u%d]+", words)))
  local command = ("env -u LD_PRELOAD nginx -p '%s' -c '%s/nginx.conf'"):format(directory, directory)
  local process = server.start(command, { what = "nginx", directory = directory, ready = function()
    return server.listens(ports.plain)
  end })
  return setmetatable({ directory = directory, ports = ports, process = process }, Nginx)
end

---@param path string
---@param port string
---@return string
function Nginx:url(path, port)
  return ("%s://127.0.0.1:%d/%s"):format(port == "plain" and "http" or "https", self.ports[port], path)
end

function Nginx:stop()
  self.process:stop()
end

return nginx
