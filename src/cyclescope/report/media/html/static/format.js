/* Numbers to text, by the rules of report/format.py, letter for letter: SI prefixes, three significant digits, the same on
   every locale. A test feeds both with the same numbers. */

const format = (() => {
  const SI = ["", "k", "M", "G", "T", "P", "E"];
  const TIME = ["ns", "µs", "ms", "s"];
  const UNKNOWN = "–";
  const INFINITE = "∞";
  const DIGITS = 3;
  const MOST_DIGITS = 6; // beyond so many before the point a figure is written in powers of ten

  /** @param {number} value */
  function special(value) {
    if (Number.isNaN(value)) return UNKNOWN;
    if (Number.isFinite(value)) return "";
    return value > 0 ? INFINITE : `-${INFINITE}`;
  }

  /**
   * Decimal exponent of `value` after it is rounded, so that 999.9 already counts as 1000.
   * @param {number} value
   */
  function exponent(value) {
    return value ? Number(Math.abs(value).toExponential(DIGITS - 1).split("e")[1]) : 0;
  }

  /**
   * Which power of a thousand `value` is shown in.
   * @param {number} value
   * @param {number} units
   */
  function stepOf(value, units) {
    return Math.min(Math.max(Math.floor(exponent(value) / 3), 0), units - 1);
  }

  /**
   * Whether `value` lies exactly between two numbers of so many decimals (of tens, hundreds, … where negative).
   * @param {number} value
   * @param {number} decimals
   */
  function isTie(value, decimals) {
    const size = Math.abs(value);
    return decimals >= 0 ? (size * 2 ** (decimals + 1)) % 2 === 1 : size % 10 ** -decimals === 10 ** -decimals / 2;
  }

  /**
   * Digits whose last one is even where the number was a tie: Python rounds so, and JavaScript away from zero.
   * @param {string} digits
   * @param {boolean} tie
   */
  function toEven(digits, tie) {
    const last = Number(digits.at(-1));
    return tie && last % 2 ? `${digits.slice(0, -1)}${last - 1}` : digits;
  }

  /**
   * @param {number} value
   * @param {number} decimals
   */
  function toDecimals(value, decimals) {
    return toEven(value.toFixed(decimals), isTie(value, decimals));
  }

  /**
   * `value` in powers of ten, with two digits in the exponent: `1.23e+07`.
   * @param {number} value
   */
  function toPower(value) {
    const [digits, power] = value.toExponential(DIGITS - 1).split("e");
    const unrounded = Number(value.toExponential().split("e")[1]);
    return `${toEven(digits, isTie(value, DIGITS - 1 - unrounded))}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }

  /**
   * `value` ÷ 1000^`step` with three significant digits; zero reads `0`, whatever its sign.
   * @param {number} value
   * @param {number} step
   */
  function fixed(value, step) {
    if (value === 0) return "0";
    const power = exponent(value) - 3 * step;
    const scaled = value / 1000 ** step;
    if (power >= MOST_DIGITS || power < -4) return toPower(scaled);
    const decimals = DIGITS - 1 - power;
    // 123,456 with three digits is 123,000.
    const text = decimals >= 0 ? toDecimals(scaled, decimals) : String(Math.sign(scaled) * toTens(Math.abs(scaled), 10 ** -decimals));
    return text.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
  }

  /**
   * The multiple of `ten` that is nearest to `size`, of two as near ones the even one.
   * @param {number} size
   * @param {number} ten
   */
  function toTens(size, ten) {
    const rest = size % ten;
    const below = size - rest;
    const up = rest > ten / 2 || (rest === ten / 2 && (below / ten) % 2 === 1);
    return up ? below + ten : below;
  }

  /**
   * @param {number} value
   * @param {string[]} units
   * @param {boolean} [whole] below a thousand a whole number has no decimals
   */
  function scaled(value, units, whole = false) {
    const odd = special(value);
    if (odd) return odd === UNKNOWN ? odd : `${odd} ${units[0]}`;
    const step = stepOf(value, units.length);
    if (step === 0 && whole && Number.isInteger(value)) return `${value} ${units[0]}`;
    return `${fixed(value, step)} ${units[step]}`;
  }

  /** @param {string} unit */
  const withPrefix = (unit) => SI.map((prefix) => prefix + unit);
  return {
    /** @param {number} ns */
    time: (ns) => scaled(ns, TIME),
    /** @param {number} bytes */
    data: (bytes) => scaled(bytes, withPrefix("B"), true),
    /** @param {number} bytesPerSecond */
    bandwidth: (bytesPerSecond) => scaled(bytesPerSecond, withPrefix("B/s")),
    /** @param {number} count */
    flops: (count) => scaled(count, withPrefix("FLOP"), true),
    /** @param {number} flopsPerSecond */
    flopRate: (flopsPerSecond) => scaled(flopsPerSecond, withPrefix("FLOP/s")),
    /**
     * A bare number with three significant digits.
     * @param {number} value
     */
    significant: (value) => special(value) || fixed(value, 0),
    /**
     * A share of a whole, 0 … 1, in per cent.
     * @param {number} part
     */
    share(part) {
      const percent = 100 * part;
      const odd = special(percent);
      if (odd) return odd === UNKNOWN ? odd : `${odd} %`;
      if (percent === 0) return "0 %";
      if (percent === 100) return "100 %";
      const size = Math.abs(percent);
      if (size < 0.005) return percent > 0 ? "<0.01 %" : "≈0 %";
      if (size >= 999.5) return `${fixed(percent, 0)} %`;
      return `${toDecimals(percent, size >= 0.95 ? 1 : 2)} %`;
    },
    /**
     * A time on a ruler whose marks are `step` apart: as many decimals as the step needs, one unit for all marks.
     * @param {number} ns
     * @param {number} step
     * @param {number} largest
     */
    tick(ns, step, largest) {
      const unit = stepOf(largest, TIME.length);
      const decimals = Math.max(0, -Math.floor(Math.log10(step / 1000 ** unit) + 1e-9));
      return `${(ns / 1000 ** unit).toFixed(decimals)} ${TIME[unit]}`;
    },
  };
})();
