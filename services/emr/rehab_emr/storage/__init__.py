"""Where endpoints, lanes and deliveries are kept: ids, codes and times; what may tell more is sealed."""
