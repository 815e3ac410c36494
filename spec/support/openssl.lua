-- The openssl command as an independent second opinion. Files are temporary and removed at once.
local openssl = {}

local function write(bytes)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  return path
end

local function take(path)
  local file = io.open(path, "rb")
  local bytes = file and file:read "*a"
  if file then file:close() end
  os.remove(path)
  return bytes
end

-- Runs `openssl COMMAND` with every {name} replaced by a file that holds inputs[name]; returns what it writes.
local function run(command, inputs)
  local out, paths = os.tmpname(), {}
  command = command:gsub("{(%w+)}", function(name)
    paths[name] = paths[name] or write(inputs[name])
    return paths[name]
  end)
  os.execute(("openssl %s >%s 2>/dev/null"):format(command, out))
  for _, path in pairs(paths) do os.remove(path) end
  return take(out)
end

local keys = {}

--- A fresh private key as PEM, one per algorithm and run; `kind` such as "RSA -pkeyopt rsa_keygen_bits:2048".
function openssl.private_key(kind)
  kind = kind or "RSA -pkeyopt rsa_keygen_bits:2048"
  keys[kind] = keys[kind] or run("genpkey -algorithm " .. kind)
  assert(keys[kind]:find("PRIVATE KEY", 1, true), "the openssl command is needed")
  return keys[kind]
end

function openssl.public_key(private)
  return run("pkey -in {key} -pubout", { key = private })
end

--- The same key in the older form "BEGIN RSA PRIVATE KEY".
function openssl.traditional(private)
  return run("pkey -in {key} -traditional", { key = private })
end

function openssl.encrypted(private)
  return run("pkey -in {key} -aes256 -passout pass:moon", { key = private })
end

function openssl.sign(private, bytes)
  return run("dgst -sha256 -sign {key} {bytes}", { key = private, bytes = bytes })
end

function openssl.verifies(public, bytes, signature)
  local words = run("dgst -sha256 -verify {key} -signature {signature} {bytes}",
    { key = public, bytes = bytes, signature = signature })
  return words:find("Verified OK", 1, true) ~= nil
end

function openssl.sha256(bytes)
  return run("dgst -sha256 -binary {bytes}", { bytes = bytes })
end

-- Called in all webhook specs: libcrypto through another binding rather than by a process each.
function openssl.hmac(key, bytes)
  return require("openssl.hmac").new(key, "sha256"):final(bytes)
end

function openssl.base64(bytes)
  return (require("mime").b64(bytes))
end

return openssl
