// Ids of a batch's jobs: the batch's own id as a number, plus one, plus the job's number, counted from 0.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** @param {string} id */
const asNumber = (id) => [...id].reduce((sum, letter) => sum * 32n + BigInt(ALPHABET.indexOf(letter)), 0n);

/** @param {string} batch @param {number} number @returns {string} */
export function jobId(batch, number) {
  let value = asNumber(batch) + 1n + BigInt(number);
  let text = "";
  for (let place = 0; place < 26; place += 1) {
    text = ALPHABET[Number(value % 32n)] + text;
    value /= 32n;
  }
  return text;
}
