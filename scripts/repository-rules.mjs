// What must never be committed: leftovers of merging and debugging, big files, and paths of one person's machine.

const MAXIMUM_BYTES = 3 * 1024 * 1024;
const MAY_BE_BIG = ['inference-runtime/models/'];
const TEXT = /\.(ts|tsx|mts|mjs|js|cjs|json|graphql|md|py|sql|ya?ml|toml|sh|html|css|txt)$|^[^.]+$/;

const RULES = [
  { pattern: /^(<{7} |={7}$|>{7} |\|{7} )/m, complaint: 'merge marker' },
  {
    pattern: /\b(describe|it|test|suite)(\.\w+)*\.only\(/,
    complaint: 'a test that shuts out the others',
    files: /\.(ts|mjs)$/,
  },
  { pattern: /\bdebugger;/, complaint: 'debugger statement', files: /\.(ts|mjs|js)$/ },
  {
    // A leading quote, space or bracket: an absolute path, and not the end of a URL or of a relative one.
    pattern: /(^|[\s"'`(=:])\/(home|Users|root|work|workspace|mnt|private)\/[\w.-]+/m,
    complaint: 'absolute path of a machine',
  },
  { pattern: /[A-Z]:\\Users\\/, complaint: 'absolute path of a machine' },
  {
    pattern: /-----BEGIN (RSA |EC |OPENSSH |)PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}/,
    complaint: 'private key',
  },
];

/** One line per rule that a file breaks. `read` is called only when the file is to be read as text. */
export function complaintsAbout({ file, bytes, read }) {
  if (bytes > MAXIMUM_BYTES) {
    if (MAY_BE_BIG.some((folder) => file.startsWith(folder))) return [];
    return [`${file}: ${toMegabytes(bytes)} MB is more than ${toMegabytes(MAXIMUM_BYTES)} MB`];
  }
  if (!TEXT.test(file.split('/').at(-1)) || file.startsWith('scripts/repository-rules.')) return [];
  const text = read();
  return RULES.filter((rule) => rule.files === undefined || rule.files.test(file)).flatMap(
    (rule) => {
      const found = rule.pattern.exec(text);
      if (found === null) return [];
      const line = text.slice(0, found.index + found[0].length).split('\n').length;
      return [`${file}:${line}: ${rule.complaint}: ${found[0].trim().slice(0, 80)}`];
    },
  );
}

function toMegabytes(bytes) {
  return (bytes / 1024 / 1024).toFixed(1);
}
