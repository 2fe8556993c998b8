#!/bin/sh
# Makes certificates to try TLS and mutual TLS with: a CA, a broker's, and one for each client. For tests and first
# steps; a plant has its own CA, whose key is not on the broker.
#
#   make-test-certificates.sh FOLDER [BROKER-HOST]...
#
# Writes FOLDER/ca.pem, broker.pem, broker.key, gateway.pem, gateway.key, operator.*, dashboard.*; what is there
# already is kept. Two that must be refused come along: expired.pem (of the broker), and stranger.pem (another CA's).
set -eu

folder=${1:?name a folder}
shift
[ $# -gt 0 ] || set -- localhost 127.0.0.1
mkdir -p "$folder"
cd "$folder"
umask 077

names=
for host; do
    case $host in
    *[!0-9.]*) names="$names,DNS:$host" ;;
    *) names="$names,IP:$host" ;;
    esac
done
names=${names#,}

ca() { # FILE NAME
    [ -f "$1.key" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 \
        -keyout "$1.key" -out "$1.pem" -subj "/O=Kittiwake test/CN=$2" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}

certificate() { # CA FILE NAME DAYS EXTENSIONS
    [ -f "$2.pem" ] && return
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc \
        -keyout "$2.key" -out "$2.csr" -subj "/O=Kittiwake test/CN=$3" 2>/dev/null
    printf '%s\n' "$5" >"$2.ext"
    openssl x509 -req -in "$2.csr" -CA "$1.pem" -CAkey "$1.key" -days "$4" -extfile "$2.ext" \
        -set_serial "0x$(openssl rand -hex 8)" -out "$2.pem" 2>/dev/null
    rm "$2.csr" "$2.ext"
}

server="subjectAltName=$names
extendedKeyUsage=serverAuth"
client="extendedKeyUsage=clientAuth"

ca ca "Kittiwake test CA"
ca other-ca "Some other CA"
certificate ca broker "$1" 825 "$server"
certificate ca expired "$1" -1 "$server"
for name in gateway operator dashboard; do
    certificate ca "$name" "$name" 825 "$client"
done
certificate other-ca stranger gateway 825 "$client"
# The broker gives up its rights before it reads its key; clients' certificates are no secret.
chmod 644 ./*.pem
