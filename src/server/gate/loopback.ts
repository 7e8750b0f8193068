/** Names and addresses that mean this machine and can be reached from nowhere else. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '::1' ||
    hostname === '[::1]' ||
    loopbackAddress.test(hostname)
  )
}
const loopbackAddress = /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/
