"""Regressions of ln(true ÷ analytic time) on features: fitted with scikit-learn, evaluated with numpy alone."""
