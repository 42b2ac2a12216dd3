/* Numbers to text, by the rules of report/format.py: SI prefixes, three significant digits, the same on every locale. */

const format = (() => {
  const SI = ["", "k", "M", "G", "T", "P", "E"];
  const TIME = ["ns", "µs", "ms", "s"];

  function exponent(value, digits = 3) {
    return value ? Number(Math.abs(value).toExponential(digits - 1).split("e")[1]) : 0;
  }

  function fixed(value, step) {
    if (value === 0) return "0";
    const decimals = 2 - (exponent(value) - 3 * step);
    const scaled = value / 1000 ** step;
    const text = decimals >= 0 ? scaled.toFixed(decimals) : String(Math.round(scaled / 10 ** -decimals) * 10 ** -decimals);
    return text.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
  }

  function scaled(value, units, whole = false) {
    const step = Math.min(Math.max(Math.floor(exponent(value) / 3), 0), units.length - 1);
    if (step === 0 && whole && Number.isInteger(value)) return `${value} ${units[0]}`.trimEnd();
    return `${fixed(value, step)} ${units[step]}`.trimEnd();
  }

  const withPrefix = (unit) => SI.map((prefix) => prefix + unit);
  return {
    time: (ns) => scaled(ns, TIME),
    data: (bytes) => scaled(bytes, withPrefix("B"), true),
    bandwidth: (rate) => scaled(rate, withPrefix("B/s")),
    flops: (count) => scaled(count, withPrefix("FLOP"), true),
    flopRate: (rate) => scaled(rate, withPrefix("FLOP/s")),
    /** A bare number with three significant digits. */
    significant: (value) => fixed(value, 0),
    share(part) {
      const percent = 100 * part;
      if (percent === 0) return "0 %";
      if (percent === 100) return "100 %";
      if (Math.abs(percent) < 0.005) return percent > 0 ? "<0.01 %" : ">-0.01 %";
      return `${percent.toFixed(Math.abs(percent) >= 0.95 ? 1 : 2)} %`;
    },
    /** A time on a ruler whose marks are `step` apart: as many decimals as the step needs, one unit for all marks. */
    tick(ns, step, largest) {
      const unit = Math.min(Math.max(Math.floor(exponent(largest) / 3), 0), TIME.length - 1);
      const decimals = Math.max(0, -Math.floor(Math.log10(step / 1000 ** unit) + 1e-9));
      return `${(ns / 1000 ** unit).toFixed(decimals)} ${TIME[unit]}`;
    },
  };
})();
