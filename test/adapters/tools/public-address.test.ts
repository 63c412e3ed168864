import fc from 'fast-check';
import { isPublicAddress } from '../../../src/adapters/tools/public-address.js';

const PUBLIC =
  '1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 172.15.255.255 ' +
  '172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2606:4700:4700::1111 ' +
  '2a00:1450:4001::200e 2001:4860:4860::8888 2001:200::1 2003::1 3ffe::1 2000:: 3fff:1000::1';

const SPECIAL: Record<string, string> = {
  'this network': '0.0.0.0 0.1.2.3 ::',
  private: '10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.1.1',
  'carrier-grade NAT': '100.64.0.1 100.127.255.255',
  loopback: '127.0.0.1 127.255.255.254 ::1',
  'link-local': '169.254.169.254 fe80::1 fe80::1%eth0',
  'a cloud host': '168.63.129.16',
  'protocol assignments': '192.0.0.170 100::1 5f00::1',
  benchmarks: '198.18.0.1 198.19.255.255 2001:2::1',
  documentation: '192.0.2.1 198.51.100.7 203.0.113.9 2001:db8::1 3fff::1 3fff:fff::1',
  'multicast or reserved': '224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 ff02::1 4000::1',
  'IPv4 within IPv6': '::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8',
  NAT64: '64:ff9b::a00:1 64:ff9b::808:808 64:ff9b:1::1',
  '6to4': '192.88.99.1 2002:7f00:1:: 2002:808:808::1',
  Teredo: '2001::1 2001:0:4136:e378::1',
  ORCHID: '2001:20::1',
  'unique local': 'fc00::1 fd12:3456::1 fec0::1',
  'no address': 'localhost 2130706433 0177.0.0.1 [::1] 8.8.8.8:80',
};

test.each(PUBLIC.split(' '))('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each(
  Object.entries(SPECIAL).flatMap(([kind, list]) =>
    list.split(' ').map((address) => [kind, address] as const),
  ),
)('not public, being %s: %s', (_, address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test('no address whose first byte is reserved as a whole is public', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const first = fc.constantFrom(0, 10, 127, ...Array.from({ length: 32 }, (_, index) => 224 + index));
  fc.assert(
    fc.property(first, byte, byte, byte, (...bytes) => {
      expect(isPublicAddress(bytes.join('.'))).toBe(false);
    }),
  );
});

test('no IPv6 address outside 2000::/3 is public, however it is written', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const url = new URL(`http://[${address}]/`);
      const normal = url.hostname.slice(1, -1);
      const first = Number.parseInt(normal.split(':')[0] || '0', 16);
      if (first < 0x2000 || first > 0x3fff)
        expect([isPublicAddress(address), isPublicAddress(normal)]).toEqual([false, false]);
      expect(isPublicAddress(address)).toBe(isPublicAddress(normal));
    }),
  );
});
