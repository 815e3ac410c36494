-- Certificates for specs, made by the openssl command in a directory of their own: ca.pem and hashed/ (the authority),
-- good, expired, wronghost, client (signed by it) and selfsigned; of each NAME.pem and NAME.key; encrypted.key and
-- traditional.key (client's, the password is "secret"), hashed-other/ (selfsigned).

local certificates = {}

local COMMANDS = [[
set -e
cd "$new"
quiet() { "$@" >openssl.log 2>&1 || { cat openssl.log >&2; exit 1; }; }
key() { quiet openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
key ca
quiet openssl req -x509 -new -key ca.key -subj "/CN=Authority of the specs" -days 3650 -out ca.pem
cat >ca.cnf <<'CONFIGURATION'
[ca]
default_ca = authority
[authority]
database = index
serial = serial
new_certs_dir = .
unique_subject = no
default_md = sha256
policy = names
[names]
commonName = supplied
CONFIGURATION
: >index
echo 01 >serial
sign() { # name subject alternative-names validity...
  key "$1"
  quiet openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  printf 'subjectAltName=%s\n' "$3" >"$1.ext"
  name=$1; shift 3
  quiet openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -in "$name.csr" \
    -extfile "$name.ext" -out "$name.pem" "$@"
}
sign good localhost DNS:localhost,IP:127.0.0.1 -days 365
sign wronghost elsewhere.example DNS:elsewhere.example -days 365
sign client client DNS:client.example -days 365
sign expired localhost DNS:localhost,IP:127.0.0.1 -startdate 20200101000000Z -enddate 20200102000000Z
key selfsigned
quiet openssl req -x509 -new -key selfsigned.key -subj /CN=localhost -days 365 \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -out selfsigned.pem
quiet openssl pkcs8 -topk8 -in client.key -passout pass:secret -out encrypted.key
quiet openssl ec -in client.key -aes256 -passout pass:secret -out traditional.key
mkdir -p hashed hashed-other
cp selfsigned.pem "hashed-other/$(openssl x509 -hash -noout -in selfsigned.pem).0"
cp ca.pem "hashed/$(openssl x509 -hash -noout -in ca.pem).0"
]]

-- Where those of today are. They are made once a day, since that takes twenty processes. Another
-- text of the commands gives another name.
local function made_today()
  local sum = 0
  for i = 1, #COMMANDS do sum = (sum * 31 + COMMANDS:byte(i)) % 2 ^ 31 end
  return ("build/certificates-%d-%d"):format(math.floor(os.time() / 86400), sum)
end

-- Programs that run side by side may make them at the same time: those that are complete first stay.
local MAKE = [[
set -e
mkdir -p build
find build -maxdepth 1 -name 'certificates-*' -mtime +1 -exec rm -rf {} +
new=$(mktemp -d build/certificates-new.XXXXXX)
(
%s)
chmod 755 "$new"
mv -T "$new" %s 2>/dev/null || rm -rf "$new"
]]

local function copy(from, to)
  local lfs = require "lfs"
  for name in lfs.dir(from) do
    local source, target = from .. "/" .. name, to .. "/" .. name
    if lfs.attributes(source, "mode") == "file" then
      local input, output = assert(io.open(source)), assert(io.open(target, "w"))
      output:write(input:read "*a")
      input:close()
      assert(output:close())
    elseif not name:find "^%.%.?$" then
      lfs.mkdir(target)
      copy(source, target)
    end
  end
end

--- Copies them all to `directory`, which exists.
---@param directory string
function certificates.make(directory)
  local made = made_today()
  local ca = io.open(made .. "/ca.pem")
  if ca then ca:close() end
  local ok = ca or os.execute(MAKE:format(COMMANDS, made))
  assert(ok == true or ok == 0 or ca, "openssl could not make the certificates")
  copy(made, directory)
end

return certificates
